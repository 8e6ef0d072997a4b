import { LogicalClock } from './core/clock.ts';
import { seededRandom, uuid } from './core/random.ts';
import { Faults } from './faults.ts';
import { RateLimiter } from './limits.ts';
import type { Settings } from './options.ts';
import { RequestLog } from './request-log.ts';
import { seedRows, seedStart } from './seed/rows.ts';
import { seedWorkspace } from './seed/workspace.ts';
import { World } from './state/world.ts';
import { Tokens } from './tokens.ts';
import { Dispatcher } from './webhooks/dispatcher.ts';
import { WebhookRegistry } from './webhooks/registry.ts';

/** All that a reset throws away. */
export interface State {
  readonly world: World;
  readonly webhooks: WebhookRegistry;
  readonly dispatcher: Dispatcher;
  readonly faults: Faults;
  readonly limiter: RateLimiter | null;
  readonly log: RequestLog;
  readonly tokens: Tokens;
  /** Ids that no record depends on: reading must not change what the next create is called. */
  newTraceId(): string;
}

export function freshState(settings: Settings): State {
  const stream = (offset: number) => settings.random ?? seededRandom(settings.seed * 4 + offset);
  const traces = stream(1);
  const faults = new Faults(stream(2));
  const webhooks = new WebhookRegistry();
  const dispatcher = new Dispatcher({
    registry: webhooks,
    faults,
    options: settings.deliveries,
    fetch: settings.fetch,
    timers: settings.timers,
    now: settings.now,
    newId: () => uuid(traces),
    logCapacity: settings.logSize,
  });
  const clock = new LogicalClock(settings.now);
  const world = new World({ clock, random: stream(0), emit: (event) => dispatcher.publish(event) });
  const startMs = seedStart(settings.now());
  const seed = seedWorkspace(world, startMs, settings);
  seedRows(world, seed, settings.counts, stream(3), startMs);
  return {
    world,
    webhooks,
    dispatcher,
    faults,
    limiter: settings.limits === null ? null : new RateLimiter(settings.limits),
    log: new RequestLog(settings.logSize),
    tokens: new Tokens(),
    newTraceId: () => uuid(traces),
  };
}
