import { randomUUID } from 'node:crypto';
import { RedisClient } from '../cache/redis-client.ts';
import { SharedTier } from '../cache/shared-tier.ts';
import { within } from '../cache/within.ts';
import type { AppConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import type { Events } from '../monitoring/events.ts';
import { RedisPlan } from '../queue/redis-plan.ts';
import { SharedBudget } from '../queue/shared-budget.ts';
import { USABLE_MS } from '../queue/shared-turns.ts';

/** What several instances share through Redis. */
export interface SharedParts {
  /** Of the caches; null: nothing. Connects when it is started. */
  readonly shared: SharedTier | null;
  /** Of Attio's limits; null: each instance has its own. */
  readonly budget: SharedBudget | null;
}

export function buildShared(deps: { config: AppConfig; clock: Clock; events: Events }): SharedParts {
  const { config, clock, events } = deps;
  if (config.redis === null) return { shared: null, budget: null };
  // Not the ids that a test may choose: two processes with one id would not hear each other.
  const instanceId = randomUUID();
  const client = new RedisClient({
    url: config.redis.url,
    instanceId,
    newId: randomUUID,
    onMessage: (text) => tier.heard(text),
    onShared(text) {
      const pause = plan.readPause(text);
      if (pause !== null) budget.heardPause(pause.lane, pause.ms);
    },
    onPresent: (instances) => budget.sawInstances(instances),
    onReady: () => tier.wake(),
    onLost: (lost) => tier.lost(lost),
  });
  const tier = new SharedTier({
    client,
    clock,
    instanceId,
    onUp() {
      budget.found();
      events.redisUp();
    },
    onDown(reason) {
      budget.lost();
      events.redisDown(reason);
    },
    onRead: (read) => events.cacheRead(read),
  });
  const plan = new RedisPlan({
    instanceId,
    redis: {
      run: (script, keys, args) => within(clock, client.run(script, keys, args), USABLE_MS),
      publish: (text) => within(clock, client.publish(text), USABLE_MS),
    },
  });
  const budget = new SharedBudget({
    plan,
    // The one that lanes count on.
    now: () => Date.now(),
    instances: config.attio.instances,
    onMode: (lane, mode) => events.budgetMode({ lane, mode }),
  });
  return { shared: tier, budget };
}
