import type { BatchRejection } from '../../domain/batches.ts';
import type { Clock } from '../../domain/clock.ts';
import type { EntityKind } from '../../domain/entities.ts';
import { IDEMPOTENCY_KEPT_MS } from '../../domain/idempotency.ts';
import type { WriteKind } from '../../domain/outbox.ts';
import { invalidMembers, type MemberFault, ServiceError } from '../errors.ts';
import type { BatchReceipt, WriteOptions } from '../inputs.ts';
import type { BatchStore, OutboxStore } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import type { Mapping } from '../sync/mapping.ts';
import type { Choosing, Chosen } from './choosing.ts';
import type { Draft } from './draft.ts';
import type { Attributes } from './fields.ts';
import type { Acceptance, Accepted, OutboxIntake } from './intake.ts';
import { faultsOf } from './intents.ts';
import type { Waiters } from './waiters.ts';
import type { OutboxWorker } from './worker.ts';

/** What a caller asks for, and which of it was given under `attributes`. */
export interface Request {
  readonly draft: Draft;
  readonly given: ReadonlySet<string>;
}

/** How far a write has come. */
export interface Progress {
  /** The thing that it was written to. */
  readonly entityId: string;
  /** It is in Attio. */
  readonly isDone: boolean;
  /** Fields of it that wait for a person to decide. */
  readonly held: number;
}

export interface BatchItem extends Request {
  /** In the batch as it was sent. */
  readonly index: number;
}

export interface OutboxWriterDeps {
  /** Takes one write; those that come together share a commit. */
  readonly log: { add(item: Acceptance): Promise<Accepted> };
  readonly intake: Pick<OutboxIntake, 'accept'>;
  readonly worker: Pick<OutboxWorker, 'wake' | 'offer' | 'isHeldUp'>;
  readonly waiters: Waiters;
  readonly outbox: Pick<OutboxStore, 'stats'>;
  readonly batches: BatchStore;
  readonly schema: Pick<SchemaService, 'knownAttributes' | 'attributesOf' | 'refreshIfOld'>;
  readonly choosing: Pick<Choosing, 'choose'>;
  readonly mapping: Mapping;
  readonly clock: Clock;
  readonly newId: () => string;
  /** How long a caller waits for Attio. */
  readonly writeWaitMs: number;
  /** Writes that may be pending. */
  readonly maxPending: number;
}

/** How long a caller waits for a schema that is not in memory; without it a write is checked when it is sent. */
const SCHEMA_WAIT_MS = 1_000;
/** How old a count of what is pending may be. */
const RECOUNT_MS = 5_000;
/** Writes of a batch that share a commit: nothing else is done meanwhile. */
const BATCH_STEP = 25;

/** Where writes of internal systems come in: checked, stored, and waited for. */
export class OutboxWriter {
  readonly #deps: OutboxWriterDeps;
  #pending = 0;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: OutboxWriterDeps) {
    this.#deps = deps;
  }

  /**
   * Durable when it resolves. Waits for Attio as the options say.
   * @throws ServiceError `invalid`, `conflict`; `refused` for a choice that the workspace lacks, and with Attio's words
   *   when it has refused; `unavailable` when too much is pending
   */
  async write(request: Request, options: WriteOptions): Promise<Progress> {
    const until = this.#deps.clock.now() + this.#deps.writeWaitMs;
    const { draft, faults, refusals } = await this.#check(request);
    if (faults.length > 0) throw invalidMembers(faults);
    if (refusals.length > 0) throw refused(refusals);
    await this.makeRoom(1);
    const accepted = await this.#deps.log.add({ draft, batch: null, expected: options.wait });
    if ('refused' in accepted) throw accepted.refused;
    const { entityId, outboxId } = accepted;
    if (outboxId === null) return { entityId, isDone: true, held: 0 };
    const done = await this.follow(draft.kind, outboxId, options, until);
    return done === null ? { entityId, isDone: false, held: 0 } : { ...done, isDone: true };
  }

  /**
   * Has a write that is stored sent, and waits for it as the options say.
   * @returns how it has ended; null while it is pending
   * @throws ServiceError `refused`
   */
  async follow(
    kind: WriteKind,
    outboxId: number,
    { wait, signal }: WriteOptions,
    until = this.#deps.clock.now() + this.#deps.writeWaitMs,
  ): Promise<Omit<Progress, 'isDone'> | null> {
    const { waiters, worker, clock } = this.#deps;
    worker.wake();
    if (!wait) return null;
    const settlement = await waiters.wait(
      outboxId,
      worker.isHeldUp(kind) ? 0 : Math.max(0, until - clock.now()),
      signal,
    );
    if (settlement === null) return null;
    if (settlement.outcome === 'done') return settlement;
    const { message, attio } = settlement;
    throw new ServiceError('refused', message, { attio });
  }

  /**
   * Takes many writes of one kind, in order; none is waited for.
   * @param rejected what was wrong in itself
   * @param requestKey of a request that may be sent again: what a crash has left of it is then completed
   */
  async writeAll(
    items: readonly BatchItem[],
    rejected: readonly BatchRejection[],
    requestKey: string | null,
  ): Promise<BatchReceipt> {
    const { batches, intake, worker, clock } = this.#deps;
    await this.makeRoom(items.length);
    const checked = await Promise.all(
      items.map(async (item) => {
        const { draft, faults, refusals } = await this.#check(item);
        return { index: item.index, draft, errors: [...faults, ...refusals] };
      }),
    );
    const wrong = [
      ...rejected,
      ...checked.flatMap(({ index, errors }) => (errors.length > 0 ? [{ index, errors }] : [])),
    ];
    const good = checked.filter(({ errors }) => errors.length === 0);
    if (good.length === 0) throw invalidMembers(wrong.flatMap(inBatch));
    const { id, taken } = await this.#begun(requestKey);
    const total = items.length + rejected.length;
    if (taken === null) {
      await batches.add({ id, total, rejected: wrong, createdAt: new Date(clock.now()).toISOString() });
    }
    const open = good.filter(({ index }) => taken?.has(index) !== true);
    for (let start = 0; start < open.length; start += BATCH_STEP) {
      const step = open.slice(start, start + BATCH_STEP);
      const results = await intake.accept(
        step.map(({ draft, index }) => ({ draft, batch: { id, index }, expected: false })),
      );
      results.forEach((result, place) => {
        const { index = 0 } = step[place] ?? {};
        if ('refused' in result) wrong.push({ index, errors: faultsIn(result.refused) });
      });
      worker.offer();
      // Others have their turn.
      await clock.sleep(0);
    }
    wrong.sort((a, b) => a.index - b.index);
    await batches.setRejected(id, wrong);
    return { id, accepted: total - wrong.length, rejected: wrong };
  }

  /** A batch whose request has a key has its id from the key, so that the same request finds it again. */
  async #begun(
    requestKey: string | null,
  ): Promise<{ readonly id: string; readonly taken: ReadonlySet<number> | null }> {
    const { batches, clock, newId } = this.#deps;
    if (requestKey === null) return { id: newId(), taken: null };
    const id = uuidFrom(requestKey);
    const begun = await batches.begun(id);
    if (begun === undefined) return { id, taken: null };
    // The key was good for a day: this is another request.
    if (clock.now() - Date.parse(begun.createdAt) >= IDEMPOTENCY_KEPT_MS) return { id: newId(), taken: null };
    return { id, taken: begun.taken };
  }

  async #check({ draft, given }: Request): Promise<Checked> {
    const { schema, choosing, mapping } = this.#deps;
    if (draft.faults.length > 0) return { draft, faults: draft.faults, refusals: [] };
    const attributes = await this.attributesOf(draft.kind);
    if (attributes === null) return { draft, faults: [], refusals: [] };
    const faults = faultsOf(mapping, draft, attributes, given);
    if (faults.length === 0) {
      const chosen = await choosing.choose(draft, attributes, given);
      return { draft: chosen.draft, faults, refusals: chosen.faults };
    }
    // What is held may be old; who asks again is told by a newer one.
    schema.refreshIfOld(draft.kind);
    return { draft, faults, refusals: [] };
  }

  /** An object's attributes; null when they cannot be had in the time that a caller may be kept waiting. */
  async attributesOf(kind: EntityKind): Promise<Attributes | null> {
    return this.#deps.schema.knownAttributes(kind) ?? (await this.#askSchema(kind));
  }

  /** Once after a start, as a rule. @returns null when it cannot be had in time */
  async #askSchema(kind: EntityKind): Promise<Attributes | null> {
    const { schema, clock, worker } = this.#deps;
    if (worker.isHeldUp(kind)) return null;
    const known = schema.attributesOf(kind).catch(() => null);
    return Promise.race([known, clock.sleep(SCHEMA_WAIT_MS).then(() => null)]);
  }

  /** @throws ServiceError `unavailable` when too much is pending */
  async makeRoom(count: number): Promise<void> {
    const { clock, outbox, maxPending } = this.#deps;
    const now = clock.now();
    if (now - this.#countedAt >= RECOUNT_MS) {
      this.#countedAt = now;
      this.#pending = (await outbox.stats()).pending;
    }
    if (this.#pending + count > maxPending) {
      throw new ServiceError('unavailable', 'too many writes are pending', { retryAfterSeconds: 60 });
    }
    this.#pending += count;
  }
}

/** A write, and what is wrong with it. */
interface Checked {
  readonly draft: Draft;
  readonly faults: readonly MemberFault[];
  /** Choices that the workspace does not have. */
  readonly refusals: Chosen['faults'];
}

function refused(errors: readonly MemberFault[]): ServiceError {
  const words = errors.map(({ path, message }) => `${path} ${message}`).join(' ');
  return new ServiceError('refused', words, { errors });
}

function inBatch({ index, errors }: BatchRejection): MemberFault[] {
  return errors.map(({ path, message }) => ({ path: `/contacts/${index}${path}`, message }));
}

function faultsIn(error: ServiceError): MemberFault[] {
  return [{ path: error.path ?? '', message: error.message }];
}

/** @param digest SHA-256 in hex */
function uuidFrom(digest: string): string {
  const [, a, b, c, d, e] = /^(.{8})(.{4}).(.{3}).(.{3})(.{12})/.exec(digest) ?? [];
  return `${a}-${b}-8${c}-8${d}-${e}`;
}
