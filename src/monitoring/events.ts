import type { Logger } from 'pino';
import type { SyncRun } from '../domain/sync-runs.ts';
import { isKnownEventType } from '../domain/webhook-events.ts';
import type { Metrics } from './metrics.ts';

type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;
type CacheRead = { cache: string; tier: string; result: keyof typeof CACHE_RESULTS };
type RecordOutcome = 'created' | 'updated' | 'unchanged' | 'deleted' | 'merged' | 'stale' | 'invalid';

/** Why a delivery to `/webhooks` was turned away. */
export type DeliveryRejection =
  | 'not_configured'
  | 'bad_signature'
  | 'too_large'
  | 'wrong_media_type'
  | 'bad_request'
  | 'draining'
  | 'not_stored'
  | 'failed';

const CACHE_RESULTS = { HIT: 'hit', MISS: 'miss', STALE: 'stale', ERROR: 'error' } as const;
const CIRCUIT_LEVELS = { closed: 0, 'half-open': 1, open: 2 } as const;

/**
 * One place per event: its log line and its counter, side by side.
 *
 * Fits, by shape, what the services, the gateway, the webhooks and the caches declare that they tell. Telling never
 * fails the one who tells: what goes wrong in here is dropped. Log lines hold ids, kinds and counts, no values.
 */
export class Events {
  readonly #log: {
    readonly [component in 'sync' | 'attio' | 'webhooks' | 'outbox' | 'automations' | 'service']: Log;
  };
  readonly #metrics: Metrics;

  constructor(deps: { logger: Logger; metrics: Metrics }) {
    const component = (name: string): Log => deps.logger.child({ component: name });
    this.#log = {
      sync: component('sync'),
      attio: component('attio'),
      webhooks: component('webhooks'),
      outbox: component('outbox'),
      automations: component('automations'),
      service: component('service'),
    };
    this.#metrics = deps.metrics;
  }

  // --- syncing

  recordsSettled(object: string, outcome: RecordOutcome, count: number): void {
    this.#tell(() => {
      this.#metrics.syncRecords.inc({ object, outcome }, count);
      const level = outcome === 'invalid' ? 'warn' : 'debug';
      this.#log.sync[level]({ object, outcome, count }, 'records settled');
    });
  }

  /** A record of Attio's that is not what it documents. `issue`: where it differs, no values. */
  recordUnreadable(object: string, issue: string): void {
    this.#tell(() => {
      this.#metrics.syncRecords.inc({ object, outcome: 'invalid' });
      this.#log.sync.warn({ object, issue }, 'a record cannot be read as Attio answers it');
    });
  }

  runStarted(run: SyncRun, resumed: boolean): void {
    this.#tell(() =>
      this.#log.sync.info(facts(run), resumed ? 'full sync taken up again' : 'full sync started'),
    );
  }

  runProgressed(run: SyncRun): void {
    this.#tell(() => this.#log.sync.debug({ ...facts(run), ...counts(run) }, 'full sync goes on'));
  }

  runFinished(run: SyncRun): void {
    this.#tell(() => {
      const line = { ...facts(run), ...counts(run), status: run.status, reason: run.error };
      if (run.status === 'failed') this.#log.sync.error(line, 'full sync failed');
      else this.#log.sync.info(line, 'full sync ended');
    });
  }

  workspaceMismatch(expected: string, actual: string): void {
    this.#tell(() =>
      this.#log.sync.error(
        { expected, actual },
        'the token belongs to another workspace than the one mirrored here: syncing is stopped',
      ),
    );
  }

  tokenRefused(detail: string): void {
    this.#tell(() =>
      this.#log.attio.error({ detail }, 'Attio refuses the token: check ATTIO_API_KEY and its scopes'),
    );
  }

  unexpected(where: string, error: unknown): void {
    this.#tell(() => this.#log.service.error({ where, err: error }, 'an unexpected error'));
  }

  // --- requests to Attio

  requestFinished(request: {
    readonly endpoint: string;
    readonly status: number | string;
    readonly durationMs: number;
  }): void {
    this.#tell(() => {
      const { endpoint, status, durationMs } = request;
      this.#metrics.attioRequests.inc({ endpoint, status: String(status) });
      this.#metrics.attioRequestSeconds.observe({ endpoint }, durationMs / 1000);
      this.#log.attio.debug(request, 'request to Attio');
    });
  }

  retried(retry: { readonly endpoint: string; readonly reason: string; readonly waitMs: number }): void {
    this.#tell(() => {
      this.#metrics.attioRetries.inc({ reason: retry.reason });
      this.#log.attio.debug(retry, 'request to Attio is tried again');
    });
  }

  circuitChanged(change: {
    readonly lane: 'reads' | 'writes';
    readonly state: 'closed' | 'open' | 'half-open';
  }): void {
    this.#tell(() => {
      this.#metrics.attioCircuitState.set({ circuit: change.lane }, CIRCUIT_LEVELS[change.state]);
      const level = change.state === 'open' ? 'warn' : 'info';
      this.#log.attio[level](change, `the circuit to Attio is ${change.state}`);
    });
  }

  budgetMode({ lane, mode }: { readonly lane: string; readonly mode: 'shared' | 'alone' }): void {
    this.#tell(() => this.#metrics.attioRateLimitShared.set({ lane }, mode === 'shared' ? 1 : 0));
  }

  laneWaited(wait: { readonly lane: string; readonly ms: number }): void {
    this.#tell(() => this.#metrics.attioRateLimitWaitSeconds.observe({ lane: wait.lane }, wait.ms / 1000));
  }

  // --- webhooks

  deliveryAccepted(result: { accepted: number; duplicates: number; quarantined: number }): void {
    this.#tell(() => {
      this.#metrics.webhookDeliveries.inc({ result: resultOf(result) });
      const level = result.quarantined > 0 ? 'warn' : 'debug';
      this.#log.webhooks[level]({ ...result }, 'delivery accepted');
    });
  }

  deliveryRejected(result: DeliveryRejection): void {
    this.#tell(() => {
      this.#metrics.webhookDeliveries.inc({ result });
      this.#log.webhooks.warn({ result }, 'delivery refused');
    });
  }

  eventSettled(type: string, outcome: string, lagSeconds: number): void {
    this.#tell(() => {
      this.#metrics.webhookEvents.inc({ type: label(type), outcome });
      this.#metrics.inboxLagSeconds.observe(Math.max(0, lagSeconds));
      this.#log.webhooks.debug({ type: label(type), outcome, lagSeconds }, 'event settled');
    });
  }

  eventRetried(type: string, attempt: number, error: unknown): void {
    this.#tell(() => {
      this.#metrics.webhookEvents.inc({ type: label(type), outcome: 'retried' });
      this.#log.webhooks.warn({ type: label(type), attempt, err: error }, 'event failed; it is tried again');
    });
  }

  eventBuried(type: string, reason: string): void {
    this.#tell(() => {
      this.#metrics.webhookEvents.inc({ type: label(type), outcome: 'buried' });
      this.#log.webhooks.error({ type: label(type), reason }, 'event given up: it is a dead letter now');
    });
  }

  inboxPaused(waitMs: number, error: unknown): void {
    this.#tell(() => this.#log.webhooks.warn({ waitMs, err: error }, 'the inbox waits for an outage to end'));
  }

  // --- writes

  writeSettled(kind: string, outcome: string, lagSeconds: number): void {
    this.#tell(() => {
      this.#metrics.outboxWrites.inc({ object: kind, outcome });
      this.#metrics.outboxLagSeconds.observe(Math.max(0, lagSeconds));
      this.#log.outbox.debug({ object: kind, outcome, lagSeconds }, 'write settled');
    });
  }

  writeRetried(kind: string, attempt: number, error: unknown): void {
    this.#tell(() => {
      this.#metrics.outboxWrites.inc({ object: kind, outcome: 'retried' });
      this.#log.outbox.warn({ object: kind, attempt, err: error }, 'write failed; it is tried again');
    });
  }

  writeBuried(kind: string, reason: string): void {
    this.#tell(() =>
      this.#log.outbox.error({ object: kind, reason }, 'write given up: it is a dead letter now'),
    );
  }

  conflictDecided(object: string, decided: 'local' | 'attio' | 'open', count: number): void {
    this.#tell(() => {
      this.#metrics.conflicts.inc({ object, decided }, count);
      this.#log.outbox.info({ object, decided, count }, 'both sides had changed a field');
    });
  }

  echoMet(object: string, outcome: string): void {
    this.#tell(() => {
      this.#metrics.echoes.inc({ object, outcome });
      this.#log.outbox.debug({ object, outcome }, 'a webhook of what we have written');
    });
  }

  outboxPaused(waitMs: number, error: unknown): void {
    this.#tell(() => this.#log.outbox.warn({ waitMs, err: error }, 'the outbox waits for an outage to end'));
  }

  // --- automations

  automationRan(automation: string, outcome: string, facts: { attempt: number; durationMs: number }): void {
    this.#tell(() => {
      this.#metrics.automationRuns.inc({ automation, outcome });
      const level = outcome === 'done' || outcome === 'held_up' ? 'debug' : 'warn';
      this.#log.automations[level]({ automation, outcome, ...facts }, 'an automation has run');
    });
  }

  /** Where the error came from, not what it says: its words are the company's, and may quote anybody. */
  automationFailed(automation: string, error: unknown): void {
    this.#tell(() => {
      const { name, stack = '' } = error instanceof Error ? error : new Error();
      const at = stack
        .split('\n')
        .filter((line) => line.startsWith('    at '))
        .slice(0, 5);
      this.#log.automations.warn({ automation, error: name, at }, 'a run of an automation has failed');
    });
  }

  automationBuried(automation: string, reason: string): void {
    this.#tell(() =>
      this.#log.automations.error({ automation, reason }, 'a run is given up: it is a dead letter now'),
    );
  }

  automationPaused(automation: string, waitMs: number, error: unknown): void {
    this.#tell(() => {
      const line = { automation, waitMs, error: error instanceof Error ? error.name : typeof error };
      this.#log.automations.warn(line, 'an automation waits for an outage to end');
    });
  }

  automationWaitsInVain(automation: string, why: string): void {
    this.#tell(() =>
      this.#log.automations.warn({ automation, why }, 'an automation waits for a stage that does not exist'),
    );
  }

  // --- the mapping of fields to attributes

  mappingJudged(
    object: string,
    troubles: readonly { field: string; problem: string; isFault: boolean }[],
  ): void {
    this.#tell(() => {
      const log = this.#log.sync;
      if (troubles.length === 0) log.info({ object }, 'the mapping fits the workspace again');
      for (const { field, problem, isFault } of troubles) {
        const line = { object, field, problem };
        if (isFault) log.error(line, 'the mapping does not fit the workspace: see doctor');
        else log.warn(line, 'the mapping leaves something out: see doctor');
      }
    });
  }

  // --- views for people

  viewBuilt(view: string): void {
    this.#tell(() => this.#log.sync.info({ view }, 'a view follows the workspace’s attributes'));
  }

  viewKept(view: string, why: string): void {
    this.#tell(() => this.#log.sync.warn({ view, why }, 'a view stays as it is'));
  }

  /** @param of `objects/<slug>` or `lists/<id>` */
  viewFailed(of: string, error: unknown): void {
    this.#tell(() => this.#log.sync.warn({ of, err: error }, 'a view cannot be made; it is tried again'));
  }

  // --- caches

  cacheRead({ cache, tier, result }: CacheRead): void {
    this.#tell(() => {
      this.#metrics.cacheRequests.inc({ cache, tier, result: CACHE_RESULTS[result] });
    });
  }

  redisUp(): void {
    this.#tell(() => this.#log.service.info('Redis is there: caches are shared'));
  }

  /** @param reason a word or two, no address */
  redisDown(reason: string): void {
    this.#tell(() =>
      this.#log.service.warn({ reason }, 'Redis is away: reads go on through memory and Attio'),
    );
  }

  #tell(event: () => void): void {
    try {
      event();
    } catch {
      // A full disk under the log must not stop the work that it tells of.
    }
  }
}

/** Event types come from outside: those that we do not know share one label. */
function label(type: string): string {
  return isKnownEventType(type) ? type : 'unknown';
}

function resultOf(result: { accepted: number; duplicates: number; quarantined: number }): string {
  if (result.accepted > 0) return 'accepted';
  if (result.quarantined > 0) return 'quarantined';
  return result.duplicates > 0 ? 'duplicate' : 'accepted';
}

function facts(run: SyncRun): Record<string, unknown> {
  return { runId: run.runId, object: run.object, force: run.force, parentRunId: run.parentRunId };
}

function counts(run: SyncRun): Record<string, number> {
  const { pages, seen, created, updated, unchanged, deleted, merged } = run;
  return { pages, seen, created, updated, unchanged, deleted, merged };
}
