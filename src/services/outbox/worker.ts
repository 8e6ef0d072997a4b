import { ClaimLostError } from '../../domain/claims.ts';
import type { Clock } from '../../domain/clock.ts';
import type { WriteKind, WriteRow } from '../../domain/outbox.ts';
import { StorageUnavailableError } from '../../domain/storage.ts';
import { isOutage, ServiceError } from '../errors.ts';
import type { OutboxEvents, OutboxStore } from '../ports.ts';
import { WorkLoop } from '../work-loop.ts';
import type { WorkspaceGuard } from '../workspace.ts';
import { type Failure, failureOf } from './failure.ts';
import type { Waiters } from './waiters.ts';

export interface OutboxOptions {
  /** Writes in hand at once. */
  readonly window: number;
  /** Attempts at a write that fails in a way of its own before it becomes a dead letter. */
  readonly maxAttempts: number;
  /** A write that could not be sent for this long becomes a dead letter. */
  readonly giveUpAfterMs: number;
}

/** How writes of one kind are brought over, and how they end when they cannot be. */
export interface Courier {
  /** Resolves when the write is in Attio and that is committed here. @throws ServiceError or AttioApiError */
  deliver(row: WriteRow, signal: AbortSignal): Promise<void>;
  /** The write is given up, or Attio refuses it for good. */
  refuse(row: WriteRow, failure: Failure): Promise<void>;
}

export interface OutboxWorkerDeps {
  readonly outbox: OutboxStore;
  readonly courierOf: (kind: WriteKind) => Courier;
  readonly waiters: Waiters;
  readonly workspace: Pick<WorkspaceGuard, 'maySync' | 'token'>;
  /** What is in hand here is in no other instance's. */
  readonly isInCharge: () => boolean;
  /** There may be something to send for other instances. */
  readonly tellOthers: () => void;
  /** Attio is not asked for a while, or by one probe alone: what is sent now fails at once. */
  readonly isCircuitOpen: () => boolean;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly events: OutboxEvents;
  readonly options: OutboxOptions;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10 * 60_000;
/** A caller who waits is not sent away for a retry as soon as this. */
const WAITED_FOR_MS = 1_000;
/** For a write that the state of its record holds up. */
const PUT_OFF_MS = 3_000;
/** For an object that a person must mend something for: as many of its writes in a row have met it. */
const MISFITS_OF_AN_OBJECT = 3;
const FIRST_HOLD_MS = 2_000;
const LAST_HOLD_MS = 15_000;
/** How long to wait at most before looking whether an outage is over, when nobody says so. */
const LAST_PAUSE_MS = 10_000;

/**
 * Brings the outbox's pending writes to Attio, one of each thing at a time and in order.
 *
 * An outage pauses all of them and counts no attempt (see `WorkLoop`); what a person must mend holds those of its object;
 * what fails in a way of its own is tried again with growing waits; what Attio refuses for good is settled so. What has
 * waited for `giveUpAfterMs` becomes a dead letter.
 */
export class OutboxWorker {
  readonly #deps: OutboxWorkerDeps;
  readonly #loop: WorkLoop<WriteRow>;
  /** Rows that met something which a person must mend, since the last one of their object that did not. */
  readonly #misfits = new Map<WriteKind, Set<number>>();
  /** Of the lease under which rows are taken in hand now. */
  #inCharge = new AbortController();
  /** Objects of which nothing is taken in hand for a while. */
  readonly #holds = new Map<WriteKind, { readonly untilMs: number; readonly lastsMs: number }>();

  constructor(deps: OutboxWorkerDeps) {
    const { outbox, workspace, isInCharge, waiters, events, clock, random, options } = deps;
    this.#deps = deps;
    this.#loop = new WorkLoop<WriteRow>({
      source: {
        // From the first, always: a row can be taken when the one before it is settled, whatever its id.
        due: (now, _afterId, inHand, limit) => outbox.due(now, { inHand, held: this.#held() }, limit),
        nextDueAt: async (after) => earliest([await outbox.nextDueAt(after), ...this.#holdEnds()]),
      },
      settle: (row) => this.#settle(row),
      mayWork: () => workspace.maySync && isInCharge(),
      onPaused(waitMs, error) {
        waiters.release();
        events.outboxPaused(waitMs, error);
      },
      clock,
      random,
      window: options.window,
      lastPauseMs: LAST_PAUSE_MS,
    });
  }

  /** Nothing of this object can be sent now, so nobody need wait for it. */
  isHeldUp(kind: WriteKind): boolean {
    const { workspace, isCircuitOpen } = this.#deps;
    // Right after a start Attio is still being asked who we are: that is worth waiting for.
    const isBarred = !workspace.maySync && workspace.token !== 'unknown';
    return this.#loop.isPaused || isCircuitOpen() || isBarred || this.#held().includes(kind);
  }

  /** The last writes of an object met something that a person must mend. */
  get isForbidden(): boolean {
    return this.#misfits.size > 0;
  }

  start(): void {
    this.#loop.start();
  }

  /** There may be something to send. */
  wake(): void {
    this.#loop.wake();
  }

  /**
   * What is in hand is other instances' by now: nothing of it is sent any more, also when this one is in charge again,
   * under another lease, by the time it would be.
   */
  letGo(): void {
    const before = this.#inCharge;
    this.#inCharge = new AbortController();
    before.abort(new ClaimLostError());
  }

  /** There may be something to send, for whoever has room. */
  offer(): void {
    this.#loop.wake();
    this.#deps.tellOthers();
  }

  /** There may be something to send also among the writes that were looked at before. */
  wakeAll(): void {
    this.#loop.wakeAll();
  }

  /** The outage is over: waiting work goes at once, what was put off included. */
  resume(): void {
    this.#holds.clear();
    this.#loop.resume();
    const at = new Date(this.#deps.clock.now()).toISOString();
    this.#deps.outbox.hurry(at).then(
      () => this.#loop.wakeAll(),
      () => {}, // the database: they come when they are due
    );
  }

  async stop(): Promise<void> {
    this.#deps.waiters.release();
    await this.#loop.stop();
  }

  async #settle(row: WriteRow): Promise<void> {
    const signal = AbortSignal.any([this.#loop.stopped, this.#inCharge.signal]);
    try {
      await this.#deps.courierOf(row.kind).deliver(row, signal);
      // What waits behind it may be in another instance's hand.
      this.#deps.tellOthers();
      this.#loop.succeeded();
      this.#holds.delete(row.kind);
      this.#misfits.delete(row.kind);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof StorageUnavailableError) throw error;
      if (error instanceof ClaimLostError) return this.#deps.waiters.dismiss(row.id);
      await this.#dealWith(row, failureOf(error) ?? this.#unexpected(error));
    }
  }

  /** @throws what is an outage: it pauses all */
  async #dealWith(row: WriteRow, failure: Failure): Promise<void> {
    try {
      await this.#failed(row, failure);
    } catch (error) {
      if (isOutage(error)) throw error;
      if (error instanceof ClaimLostError) return this.#deps.waiters.dismiss(row.id);
      await this.#countAttempt(row, this.#unexpected(error));
    }
  }

  /** A fault of ours: worth some more tries, since the next version or the next state may do without it. */
  #unexpected(error: unknown): Failure {
    this.#deps.events.unexpected('the delivery of a write', error);
    const detail = 'an unexpected error; see the log';
    return { kind: 'transient', error, code: 'unexpected', detail, message: detail, attio: null };
  }

  async #failed(row: WriteRow, failure: Failure): Promise<void> {
    const { clock, options } = this.#deps;
    const ageMs = clock.now() - Date.parse(row.acceptedAt);
    if (failure.kind === 'refused') return this.#refuse(row, failure);
    if (ageMs > options.giveUpAfterMs) return this.#refuse(row, { ...failure, code: 'gave_up' });
    if (failure.kind === 'outage') this.#loop.pause(asOutage(failure.error));
    else if (failure.kind === 'misconfigured') await this.#misfit(row, ageMs);
    else if (failure.kind === 'held') await this.#retryIn(row, row.attempts, PUT_OFF_MS);
    else await this.#countAttempt(row, failure);
  }

  /** One record may be forbidden to us; when several are in a row, it is the object. */
  async #misfit(row: WriteRow, ageMs: number): Promise<void> {
    const misfits = this.#misfits.get(row.kind) ?? new Set();
    this.#misfits.set(row.kind, misfits.add(row.id));
    if (misfits.size >= MISFITS_OF_AN_OBJECT) this.#hold(row);
    else await this.#retryIn(row, row.attempts, Math.min(Math.max(PUT_OFF_MS, ageMs / 2), LAST_HOLD_MS));
  }

  /** One hold for all that meet the same fault; the rows stay as they are. */
  #hold(row: WriteRow): void {
    this.#deps.waiters.dismiss(row.id);
    this.#misfits.set(
      row.kind,
      new Set([...(this.#misfits.get(row.kind) ?? [])].slice(0, MISFITS_OF_AN_OBJECT)),
    );
    const now = this.#deps.clock.now();
    const hold = this.#holds.get(row.kind);
    if (hold !== undefined && hold.untilMs > now) return;
    const lastsMs = hold === undefined ? FIRST_HOLD_MS : Math.min(2 * hold.lastsMs, LAST_HOLD_MS);
    this.#holds.set(row.kind, { untilMs: now + lastsMs, lastsMs });
  }

  #held(): WriteKind[] {
    const now = this.#deps.clock.now();
    return [...this.#holds].filter(([, hold]) => hold.untilMs > now).map(([kind]) => kind);
  }

  #holdEnds(): string[] {
    const now = this.#deps.clock.now();
    const ends = [...this.#holds.values()].map((hold) => hold.untilMs).filter((untilMs) => untilMs > now);
    return ends.map((untilMs) => new Date(untilMs).toISOString());
  }

  async #countAttempt(row: WriteRow, failure: Failure): Promise<void> {
    const attempts = row.attempts + 1;
    if (attempts >= this.#deps.options.maxAttempts && failure.code === 'unexpected') {
      return this.#refuse({ ...row, attempts }, { ...failure, code: 'attempts_exhausted' });
    }
    await this.#retryIn(row, attempts, Math.min(FIRST_RETRY_MS * 2 ** row.attempts, LAST_RETRY_MS));
    this.#deps.events.writeRetried(row.kind, attempts, failure.error);
  }

  async #retryIn(row: WriteRow, attempts: number, waitMs: number): Promise<void> {
    if (waitMs > WAITED_FOR_MS) this.#deps.waiters.dismiss(row.id);
    const dueAt = this.#deps.clock.now() + waitMs * (0.75 + this.#deps.random() / 2);
    await this.#deps.outbox.retryLater(row.id, attempts, new Date(dueAt).toISOString());
    this.#loop.dueAt(dueAt);
  }

  async #refuse(row: WriteRow, failure: Failure): Promise<void> {
    this.#misfits.delete(row.kind);
    await this.#deps.courierOf(row.kind).refuse(row, failure);
    this.#deps.tellOthers();
  }
}

function earliest(instants: readonly (string | null)[]): string | null {
  return instants.filter((instant) => instant !== null).sort()[0] ?? null;
}

/** The wait that Attio, or the circuit, has asked for. */
function asOutage(error: unknown): unknown {
  const ms = error instanceof Error && 'retryAfterMs' in error ? error.retryAfterMs : null;
  if (typeof ms !== 'number') return error;
  return new ServiceError('unavailable', String(error), { retryAfterSeconds: ms / 1000, cause: error });
}
