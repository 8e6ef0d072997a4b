import { buildShared } from '../../src/app/redis.ts';
import { type LaneName, Lanes } from '../../src/attio/lanes.ts';
import { loadConfig } from '../../src/config.ts';
import { Events } from '../../src/monitoring/events.ts';
import { createLogger } from '../../src/monitoring/logger.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import { systemClock } from '../../src/queue/clock.ts';
import { ATTIO_LIMITS, RateLimiter } from '../mocks/limits.ts';
import { until } from './service.ts';

/** How long Attio takes. */
const ANSWER_MS = 20;

/** The lanes of one instance, with all that it shares with others. */
class Ship {
  readonly lanes: Lanes;
  readonly waitsMs: number[] = [];
  readonly #metrics = createMetrics({ probe: () => Promise.reject(new Error('nothing to look at')) });
  readonly #shared: ReturnType<typeof buildShared>;

  constructor(url: string) {
    const config = loadConfig({
      NODE_ENV: 'production',
      ATTIO_API_KEY: 'key',
      ATTIO_WEBHOOK_SECRET: 'secret',
      SERVICE_API_KEYS: 'key',
      DATABASE_URL: 'sqlite::memory:',
      REDIS_URL: url,
    });
    const clock = systemClock();
    const events = new Events({
      logger: createLogger({ name: 'test', level: 'silent' }),
      metrics: this.#metrics,
    });
    this.#shared = buildShared({ config, clock, events });
    this.lanes = new Lanes(
      { clock, budget: this.#shared.budget, onWait: ({ ms }) => this.waitsMs.push(ms) },
      { ...config.attio, maxPauseMs: config.attio.maxRetryWaitMs },
    );
    this.#shared.shared?.start('the-deployment');
  }

  get instances(): number {
    return this.#shared.budget?.instances ?? 0;
  }

  async isShared(lane: 'read' | 'write'): Promise<boolean> {
    return (await this.#metrics.text()).includes(`attio_rate_limit_shared{lane="${lane}"} 1`);
  }

  async close(): Promise<void> {
    this.lanes.close();
    await this.#shared.shared?.close();
  }
}

/** Several instances' lanes in front of one Attio, with the budgets of production and Attio's limits. */
export class Fleet {
  readonly ships: readonly Ship[];
  /** When each request was sent. */
  readonly sent: Record<LaneName, number[]> = { read: [], query: [], write: [] };
  refused = 0;
  readonly #limiter = new RateLimiter(ATTIO_LIMITS);

  /** @param urls of Redis, one per instance */
  constructor(urls: readonly string[]) {
    this.ships = urls.map((url) => new Ship(url));
  }

  /** Resolves when every instance knows of all. */
  async gathered(): Promise<void> {
    await until(async () => this.ships.every((ship) => ship.instances === this.ships.length));
    await this.goBy('shared');
  }

  async goBy(mode: 'shared' | 'shares'): Promise<void> {
    await until(async () => {
      const shared = await Promise.all(this.ships.map((ship) => ship.isShared('write')));
      return shared.every((is) => is === (mode === 'shared'));
    });
  }

  /** One request of one instance; sent again until it is not refused. */
  async request(index: number, lane: LaneName): Promise<void> {
    const { lanes } = this.ships[index] ?? fail(index);
    const { signal } = new AbortController();
    let isRefused = true;
    while (isRefused) {
      isRefused = await lanes.run(lane, () => this.#send(lanes, lane), { signal });
    }
  }

  async requests(count: number, lane: LaneName, indices = this.ships.map((_, index) => index)) {
    const works = indices.flatMap((index) => Array.from({ length: count }, () => this.request(index, lane)));
    await Promise.all(works);
  }

  /** Keeps all instances busy with writes until it is told to stop. */
  busy(): { stop: () => Promise<void> } {
    let going = true;
    const work = async (index: number) => {
      while (going) await this.request(index, 'write');
    };
    const works = this.ships.flatMap((_, index) => Array.from({ length: 12 }, () => work(index)));
    return {
      stop: async () => {
        going = false;
        await Promise.all(works);
      },
    };
  }

  /** The most requests in any second, wherever it begins. */
  busiestSecond(lane: LaneName): number {
    const sent = this.sent[lane];
    return Math.max(0, ...sent.map((from) => sent.filter((at) => at >= from && at < from + 1000).length));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.ships.map((ship) => ship.close()));
  }

  async #send(lanes: Lanes, lane: LaneName): Promise<boolean> {
    const sentAt = Date.now();
    this.sent[lane].push(sentAt);
    const retryAfter = this.#limiter.admit(lane === 'write' ? 'write' : 'read', sentAt);
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    if (retryAfter === null) return false;
    this.refused += 1;
    const askedMs = Math.max(1_000, Date.parse(retryAfter) - Date.now());
    lanes.refused(lane, { sentAt, askedMs, random: Math.random() });
    return true;
  }
}

function fail(index: number): never {
  throw new Error(`there is no instance ${index}`);
}
