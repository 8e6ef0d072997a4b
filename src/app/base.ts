import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { FetchLike } from '../attio/transport.ts';
import type { AppConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import { Events } from '../monitoring/events.ts';
import { createLogger } from '../monitoring/logger.ts';
import { createMetrics, type Metrics } from '../monitoring/metrics.ts';
import { systemClock } from '../queue/clock.ts';
import type { Automation } from '../services/automations/automation.ts';
import { endpointOf } from '../services/change-webhooks/message.ts';
import { type PushStats, statsOf } from '../services/change-webhooks/pusher.ts';
import { AutomationJobsStore } from '../store/automation-jobs.ts';
import { ChangeWebhooksStore } from '../store/change-webhooks.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { DeadLettersStore } from '../store/dead-letters.ts';
import { IdempotencyStore } from '../store/idempotency.ts';
import { InboxStore } from '../store/inbox.ts';
import { MirrorStore } from '../store/store.ts';
import { buildInstances, type Instances } from './instances.ts';
import { buildShared, type SharedParts } from './redis.ts';

/** What tests replace. */
export interface Overrides {
  readonly fetch?: FetchLike;
  readonly clock?: Clock;
  /** 0 ≤ x < 1 */
  readonly random?: () => number;
  readonly newId?: () => string;
  readonly logger?: Logger;
  readonly automations?: readonly Automation[];
  /** In place of the one that `DATABASE_URL` names; a stop closes it as well. */
  readonly database?: Database;
}

/** What every part is built from. */
export interface Base extends SharedParts {
  readonly config: AppConfig;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly database: Database;
  readonly instances: Instances;
  readonly store: MirrorStore;
  readonly inbox: InboxStore;
  readonly deadLetters: DeadLettersStore;
  readonly automationJobs: AutomationJobsStore;
  readonly changeWebhooks: ChangeWebhooksStore;
  readonly idempotency: IdempotencyStore;
}

export function buildBase(config: AppConfig, overrides: Overrides): Base {
  const clock = overrides.clock ?? systemClock();
  const logger = overrides.logger ?? createLogger({ name: 'attio-bridge', level: config.logLevel });
  const database = overrides.database ?? openDatabase(config.database.url, config.database);
  const metrics = createMetrics({ probe: () => probe() });
  const events = new Events({ logger, metrics });
  const { shared, budget } = buildShared({ config, clock, events });
  const instances = buildInstances({
    config,
    clock,
    logger,
    database,
    onPresent: (count) => budget?.registered(count),
    onError: (error) => events.unexpected('the lease of this instance', error),
  });
  const { owner } = instances;
  const inbox = new InboxStore(database, owner);
  const deadLetters = new DeadLettersStore(database);
  const automationJobs = new AutomationJobsStore(database, owner);
  const changeWebhooks = new ChangeWebhooksStore(database);
  const endpointIds = new Set(config.changeWebhooks.urls.map((url) => endpointOf(url).id));
  const store = new MirrorStore(database, owner);
  const probe = async () => ({
    ...gaugesOf(statsOf((await changeWebhooks.list()).filter(({ id }) => endpointIds.has(id)))),
    inboxPending: (await inbox.stats()).pending,
    outboxPending: (await store.outbox.stats()).pending,
    automationsPending: [...(await automationJobs.pending()).values()].reduce((sum, one) => sum + one, 0),
    conflictsOpen: await store.conflicts.countOpen(),
    instances: budget?.instances ?? config.attio.instances,
    deadLetters: await deadLetters.counts(),
  });
  return {
    config,
    clock,
    random: overrides.random ?? Math.random,
    newId: overrides.newId ?? randomUUID,
    logger,
    metrics,
    events,
    shared,
    budget,
    database,
    instances,
    store,
    inbox,
    deadLetters,
    automationJobs,
    changeWebhooks,
    idempotency: new IdempotencyStore(database, owner),
  };
}

function gaugesOf({ pending, disabled }: PushStats) {
  return { changeDeliveriesPending: pending, changeWebhooksDisabled: disabled };
}

/** ISO 8601 UTC of `ms` milliseconds ago. */
export function isoAgo(clock: Clock, ms: number): string {
  return new Date(clock.now() - ms).toISOString();
}
