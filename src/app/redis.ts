import { randomUUID } from 'node:crypto';
import { RedisClient } from '../cache/redis-client.ts';
import { SharedTier } from '../cache/shared-tier.ts';
import type { AppConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import type { Events } from '../monitoring/events.ts';

/** What the caches of several instances share; null: nothing. Connects when it is started. */
export function buildSharedTier(deps: {
  config: AppConfig;
  clock: Clock;
  events: Events;
}): SharedTier | null {
  const { config, clock, events } = deps;
  if (config.redis === null) return null;
  // Not the ids that a test may choose: two processes with one id would not hear each other.
  const instanceId = randomUUID();
  const client = new RedisClient({
    url: config.redis.url,
    instanceId,
    newId: randomUUID,
    onMessage: (text) => tier.heard(text),
    onReady: () => tier.wake(),
    onLost: (lost) => tier.lost(lost),
  });
  const tier = new SharedTier({
    client,
    clock,
    instanceId,
    onUp: () => events.redisUp(),
    onDown: (reason) => events.redisDown(reason),
    onRead: (read) => events.cacheRead(read),
  });
  return tier;
}
