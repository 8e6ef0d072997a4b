import type { Clock } from '../domain/clock.ts';
import type { NewDeadLetter } from '../domain/dead-letters.ts';
import { readWebhookEvent, type WebhookEvent } from '../domain/webhook-events.ts';
import { isOutage, ServiceError } from '../services/errors.ts';
import { WorkLoop } from '../services/work-loop.ts';
import { PassingOrder, type Place } from './order.ts';
import type { FollowUps, Inbox, InboxEvents, InboxRow, KnownWorkspace, SettleLog } from './ports.ts';
import type { WebhookRouter } from './router.ts';

export interface InboxWorkerOptions {
  /** Events in hand at once. */
  readonly window: number;
  /** Attempts before an event becomes a dead letter; outages are not counted. */
  readonly maxAttempts: number;
  /** An event that outages have held up for this long becomes a dead letter. */
  readonly giveUpAfterMs: number;
  /** How often all pending events are looked at, see `WorkLoop`. */
  readonly rescanMs?: number | undefined;
}

export interface InboxWorkerDeps {
  readonly inbox: Inbox;
  readonly settled: SettleLog;
  readonly router: WebhookRouter;
  readonly followUps: FollowUps;
  readonly workspace: KnownWorkspace;
  /** What is in hand here is in no other instance's. */
  readonly isInCharge: () => boolean;
  /** For how long deliveries that come in go before work on their events. @unit ms */
  readonly holdBackMs: () => number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: InboxEvents;
  readonly options: InboxWorkerOptions;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10 * 60_000;
/** For an event that only its own request holds up; it grows with the event's age. */
const FIRST_PUT_OFF_MS = 3_000;
const LAST_PUT_OFF_MS = 60_000;

/**
 * Settles the inbox's pending events.
 *
 * Each goes through the router, and is settled after its effect is committed. A failure that is the event's own is
 * retried with growing waits and ends in a dead letter; an outage pauses all of them (see `WorkLoop`). An event that
 * only its own request holds up (no scope for its object, say) is put off, and the others go on. Events about one thing
 * are worked on together and settled in their order: one that an outage leaves pending keeps those behind it so.
 */
export class InboxWorker {
  readonly #deps: InboxWorkerDeps;
  readonly #loop: WorkLoop<InboxRow>;
  readonly #order = new PassingOrder();

  constructor(deps: InboxWorkerDeps) {
    const { inbox, workspace, isInCharge, holdBackMs, clock, random, events, options } = deps;
    this.#deps = deps;
    this.#loop = new WorkLoop<InboxRow>({
      source: {
        due: (now, afterId, inHand, limit) => inbox.pending(now, afterId, inHand, limit),
        nextDueAt: (after) => inbox.nextDueAt(after),
      },
      settle: (row) => this.#settle(row),
      mayWork: () => workspace.maySync && isInCharge(),
      holdBackMs,
      onPaused: (waitMs, error) => events.inboxPaused(waitMs, error),
      clock,
      random,
      window: options.window,
      rescanMs: options.rescanMs,
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** Events that may be taken in hand now. */
  get room(): number {
    return this.#loop.room;
  }

  /** There may be something to do. */
  wake(): void {
    this.#loop.wake();
  }

  /** There may be something to do also among the events that were looked at before. */
  wakeAll(): void {
    this.#loop.wakeAll();
  }

  /** The outage is over: waiting work goes at once. */
  resume(): void {
    this.#loop.resume();
  }

  /** Takes nothing more in hand and waits for what is; what does not finish stays pending. */
  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #settle(row: InboxRow): Promise<void> {
    const place = this.#order.join(row.subjectId);
    let isOutOfTheWay = false;
    try {
      isOutOfTheWay = await this.#work(row, place);
    } finally {
      place.end(isOutOfTheWay);
      // The next look may begin behind it.
      if (!isOutOfTheWay) this.#loop.wakeAll();
    }
  }

  /** @returns whether it is settled or put off; else it stays as it is */
  async #work(row: InboxRow, place: Place): Promise<boolean> {
    const { router, workspace, settled, followUps, events, clock } = this.#deps;
    const event = readWebhookEvent(JSON.parse(row.payload));
    if ('unreadable' in event) {
      await this.#bury(row, 'unknown', 'unreadable_event', event.unreadable);
      return true;
    }
    if (event.workspaceId !== null && event.workspaceId !== workspace.workspaceId) {
      await this.#bury(row, event.type, 'foreign_workspace', `sent by workspace ${event.workspaceId}`);
      return true;
    }
    const { outcome, failures } = await router.dispatch(event, Date.parse(row.receivedAt));
    await place.turn;
    if (!place.mayPass()) return false;
    if (failures.length > 0) return this.#failed(row, event, failures);
    // Before the event is settled: after a crash in between it is settled again, and so is what follows it.
    if (outcome === 'done') await followUps.add(row.id, event);
    // Asked again: the one before it may have failed to be stored meanwhile. From here on the log keeps their order.
    if (!place.mayPass()) return false;
    const added = settled.add({ id: row.id, outcome: outcome === 'unhandled' ? 'kept' : outcome });
    place.pass();
    await added;
    if (outcome === 'done') this.#loop.succeeded();
    events.eventSettled(event.type, outcome, (clock.now() - Date.parse(row.receivedAt)) / 1000);
    return true;
  }

  /** @returns as `#work` */
  async #failed(row: InboxRow, event: WebhookEvent, failures: readonly unknown[]): Promise<boolean> {
    if (this.#loop.stopped.aborted) return false;
    const { clock, options } = this.#deps;
    const outage = failures.find(isOutage);
    const ageMs = clock.now() - Date.parse(row.receivedAt);
    if (outage === undefined) await this.#countAttempt(row, event, failures[0]);
    else if (ageMs > options.giveUpAfterMs) {
      await this.#bury(row, event.type, 'outage_too_long', messageOf(outage));
    } else if (outage instanceof ServiceError && outage.isolated) await this.#putOff(row, ageMs, outage);
    else {
      this.#loop.pause(outage);
      return false;
    }
    return true;
  }

  /** Only what this event asks for is unavailable: it makes room for others, and comes back without an attempt counted. */
  async #putOff(row: InboxRow, ageMs: number, error: ServiceError): Promise<void> {
    const waitMs = Math.min(Math.max(FIRST_PUT_OFF_MS, ageMs / 2), LAST_PUT_OFF_MS);
    await this.#retryAt(row.id, row.attempts, waitMs * (0.75 + this.#deps.random() / 2), error);
  }

  async #countAttempt(row: InboxRow, event: WebhookEvent, error: unknown): Promise<void> {
    const { random, events, options } = this.#deps;
    const attempts = row.attempts + 1;
    if (attempts >= options.maxAttempts) {
      return this.#bury({ ...row, attempts }, event.type, 'attempts_exhausted', messageOf(error));
    }
    const waitMs = Math.min(FIRST_RETRY_MS * 2 ** row.attempts, LAST_RETRY_MS) * (0.75 + random() / 2);
    await this.#retryAt(row.id, attempts, waitMs, error);
    events.eventRetried(event.type, attempts, error);
  }

  async #retryAt(id: number, attempts: number, waitMs: number, error: unknown): Promise<void> {
    const dueAt = this.#deps.clock.now() + waitMs;
    await this.#deps.inbox.retryLater(id, attempts, iso(dueAt), messageOf(error));
    this.#loop.dueAt(dueAt);
  }

  async #bury(row: InboxRow, eventType: string, reason: string, detail: string): Promise<void> {
    const at = iso(this.#deps.clock.now());
    const letter: NewDeadLetter = {
      kind: 'inbox',
      reason,
      detail,
      eventId: row.id,
      outboxId: null,
      eventType,
      bodyBase64: null,
      attempts: row.attempts,
      createdAt: at,
    };
    await this.#deps.inbox.bury(row.id, at, letter);
    this.#deps.events.eventBuried(eventType, reason);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
