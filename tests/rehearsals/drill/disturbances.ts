import { setTimeout as sleep } from 'node:timers/promises';
import { LEASE_MS } from '../../support/short-lease.ts';
import type { Instance } from './instance.ts';
import type { Stage } from './stage.ts';

const KILL_EVERY_MS = 5_000;
const PAUSE_MS = 2 * LEASE_MS;
const REDIS_AWAY_MS = 20_000;
const POSTGRES_AWAY_MS = 2_000;

/** What befalls the instances and the servers while they are under load. */
export class Disturbances {
  readonly #stage: Stage;
  readonly #freezesRedis: boolean;
  kills = 0;
  pauses = 0;
  /** Of PostgreSQL; where it is shared, of connections that were cut. */
  restarts = 0;
  redisStops = 0;

  /** @param round every other time Redis hangs instead of ending */
  constructor(stage: Stage, round: number) {
    this.#stage = stage;
    this.#freezesRedis = round % 2 === 1;
  }

  async run(seconds: number): Promise<void> {
    const at = (share: number, act: () => Promise<void>) => sleep(share * seconds * 1_000).then(act);
    await Promise.all([
      this.#killEveryFewSeconds(Date.now() + seconds * 1_000),
      at(0.12, () => this.#pause()),
      at(0.25, () => this.#restartPostgres('immediate')),
      at(0.45, () => this.#stopRedis()),
      at(0.62, () => this.#pause()),
      at(0.75, () => this.#restartPostgres('fast')),
    ]);
  }

  #any(): Instance | undefined {
    const running = this.#stage.instances.filter((instance) => !instance.isPaused);
    return running[Math.floor(Math.random() * running.length)];
  }

  async #killEveryFewSeconds(endsAt: number): Promise<void> {
    for (;;) {
      await sleep(KILL_EVERY_MS);
      if (Date.now() >= endsAt) return;
      this.kills += 1;
      await this.#any()?.kill();
    }
  }

  async #pause(): Promise<void> {
    this.pauses += 1;
    await this.#any()?.pause(PAUSE_MS);
  }

  async #restartPostgres(how: 'fast' | 'immediate'): Promise<void> {
    const { postgres, database } = this.#stage;
    this.restarts += 1;
    if (postgres === null) {
      await database.rows(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      return;
    }
    await postgres.stop(how);
    await sleep(POSTGRES_AWAY_MS);
    await postgres.start();
  }

  async #stopRedis(): Promise<void> {
    const { redis } = this.#stage;
    this.redisStops += 1;
    if (this.#freezesRedis) redis.freeze();
    else await redis.stop('KILL');
    await sleep(REDIS_AWAY_MS);
    if (this.#freezesRedis) redis.thaw();
    else await redis.start();
  }
}
