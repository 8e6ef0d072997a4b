import type { Clock } from '../domain/clock.ts';
import type { NewDeadLetter } from '../domain/dead-letters.ts';
import { readWebhookEvent, type WebhookEvent } from '../domain/webhook-events.ts';
import { isOutage, ServiceError } from '../services/errors.ts';
import type { Inbox, InboxEvents, InboxRow, KnownWorkspace, SettleLog } from './ports.ts';
import type { WebhookRouter } from './router.ts';

export interface InboxWorkerOptions {
  /** Events in hand at once. */
  readonly window: number;
  /** Attempts before an event becomes a dead letter; outages are not counted. */
  readonly maxAttempts: number;
  /** An event that outages have held up for this long becomes a dead letter. */
  readonly giveUpAfterMs: number;
}

export interface InboxWorkerDeps {
  readonly inbox: Inbox;
  readonly settled: SettleLog;
  readonly router: WebhookRouter;
  readonly workspace: KnownWorkspace;
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
const FIRST_PAUSE_MS = 1_000;
const LAST_PAUSE_MS = 30_000;
/** Nothing should need this look; it is the net under a lost wake-up. */
const IDLE_LOOK_MS = 30_000;

/**
 * Settles the inbox's pending events.
 *
 *   working ── an event meets an outage ──► paused ── its end, or `resume()` ──► working
 *
 * working: up to `window` events are in hand; each goes through the router, and is settled after its effect is
 * committed. A failure that is the event's own is retried with growing waits and ends in a dead letter.
 * An event that only its own request holds up (no scope for its object, say) is put off, and the others go on.
 * paused: nothing is taken in hand. An outage is nobody's attempt: events stay pending as they are, unwritten.
 * Only this process's memory knows what is in hand: after a crash every pending event is simply taken again.
 */
export class InboxWorker {
  readonly #deps: InboxWorkerDeps;
  readonly #inHand = new Map<number, Promise<void>>();
  readonly #stopped = new AbortController();
  #nap = new AbortController();
  #woken = false;
  /** New events have higher ids, so a look need only go on from here. */
  #scannedThrough = 0;
  /** Events were let go: the next look begins at the first. */
  #rescan = true;
  /** When the next event that waits for its retry is due. */
  #dueAt = Number.POSITIVE_INFINITY;
  #pausedUntil = 0;
  #pauses = 0;
  #loop: Promise<void> | null = null;

  constructor(deps: InboxWorkerDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** There may be something to do. */
  wake(): void {
    this.#woken = true;
    this.#nap.abort();
  }

  /** There may be something to do also among the events that were looked at before. */
  wakeAll(): void {
    this.#rescan = true;
    this.wake();
  }

  /** The outage is over: waiting work goes at once. */
  resume(): void {
    this.#pausedUntil = 0;
    this.#pauses = 0;
    this.wakeAll();
  }

  /** Takes nothing more in hand and waits for what is; what does not finish stays pending. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#loop;
    await Promise.allSettled(this.#inHand.values());
  }

  async #run(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      this.#woken = false;
      const waitMs = await this.#takeInHand();
      if (!this.#woken) await this.#sleep(waitMs);
    }
  }

  async #sleep(ms: number): Promise<void> {
    this.#nap = new AbortController();
    const signal = AbortSignal.any([this.#nap.signal, this.#stopped.signal]);
    await this.#deps.clock.sleep(ms, signal).then(
      () => {
        this.#rescan = true;
      },
      () => {}, // woken or stopped
    );
  }

  /** @returns milliseconds until the next look, unless woken before */
  async #takeInHand(): Promise<number> {
    const { inbox, clock, workspace, options } = this.#deps;
    const now = clock.now();
    if (!workspace.maySync) return IDLE_LOOK_MS;
    if (this.#pausedUntil > now) return this.#pausedUntil - now;
    const room = options.window - this.#inHand.size;
    if (room <= 0) return IDLE_LOOK_MS;
    if (this.#rescan || this.#dueAt <= now) this.#scannedThrough = 0;
    this.#rescan = false;
    try {
      const rows = await inbox.pending(iso(now), this.#scannedThrough, new Set(this.#inHand.keys()), room);
      for (const row of rows) this.#inHand.set(row.id, this.#handle(row));
      this.#scannedThrough = rows.at(-1)?.id ?? this.#scannedThrough;
      const due = await inbox.nextDueAt(iso(now));
      this.#dueAt = due === null ? Number.POSITIVE_INFINITY : Date.parse(due);
      return Math.min(IDLE_LOOK_MS, this.#dueAt - now);
    } catch (error) {
      return this.#pause(error);
    }
  }

  async #handle(row: InboxRow): Promise<void> {
    try {
      await this.#settle(row);
    } catch (error) {
      // The database: the row stays pending as it is.
      this.#pause(error);
    } finally {
      this.#inHand.delete(row.id);
      this.wake();
    }
  }

  async #settle(row: InboxRow): Promise<void> {
    const { router, workspace, settled, events, clock } = this.#deps;
    const event = readWebhookEvent(JSON.parse(row.payload));
    if ('unreadable' in event) return this.#bury(row, 'unknown', 'unreadable_event', event.unreadable);
    if (event.workspaceId !== null && event.workspaceId !== workspace.workspaceId) {
      return this.#bury(row, event.type, 'foreign_workspace', `sent by workspace ${event.workspaceId}`);
    }
    const { outcome, failures } = await router.dispatch(event);
    if (failures.length > 0) return this.#failed(row, event, failures);
    await settled.add({ id: row.id, outcome: outcome === 'unhandled' ? 'kept' : outcome });
    if (outcome === 'done') this.#pauses = 0;
    events.eventSettled(event.type, outcome, (clock.now() - Date.parse(row.receivedAt)) / 1000);
  }

  async #failed(row: InboxRow, event: WebhookEvent, failures: readonly unknown[]): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    const { clock, options } = this.#deps;
    const outage = failures.find(isOutage);
    if (outage === undefined) return this.#countAttempt(row, event, failures[0]);
    const ageMs = clock.now() - Date.parse(row.receivedAt);
    if (ageMs > options.giveUpAfterMs) {
      return this.#bury(row, event.type, 'outage_too_long', messageOf(outage));
    }
    if (outage instanceof ServiceError && outage.isolated) return this.#putOff(row, ageMs, outage);
    this.#pause(outage);
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
    this.#dueAt = Math.min(this.#dueAt, dueAt);
  }

  async #bury(row: InboxRow, eventType: string, reason: string, detail: string): Promise<void> {
    const at = iso(this.#deps.clock.now());
    const letter: NewDeadLetter = {
      kind: 'inbox',
      reason,
      detail,
      eventId: row.id,
      eventType,
      bodyBase64: null,
      attempts: row.attempts,
      createdAt: at,
    };
    await this.#deps.inbox.bury(row.id, at, letter);
    this.#deps.events.eventBuried(eventType, reason);
  }

  /** One pause for all that meet the same outage. @returns its length in milliseconds */
  #pause(error: unknown): number {
    const now = this.#deps.clock.now();
    if (this.#pausedUntil > now) return this.#pausedUntil - now;
    const asked = error instanceof ServiceError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const backoff = Math.min(FIRST_PAUSE_MS * 2 ** this.#pauses, LAST_PAUSE_MS);
    const waitMs = Math.max(asked, backoff * (0.75 + this.#deps.random() / 2));
    this.#pauses += 1;
    this.#rescan = true;
    this.#pausedUntil = now + waitMs;
    this.#deps.events.inboxPaused(waitMs, error);
    return waitMs;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
