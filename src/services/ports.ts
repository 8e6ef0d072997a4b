/**
 * What the services need and do not build themselves. `app.ts` hands over objects that fit by shape; the
 * store, the queue and monitoring know nothing of this file.
 */
import type { BatchRejection, BatchView, NewBatch } from '../domain/batches.ts';
import type { Change, NewChange } from '../domain/changes.ts';
import type { Closing, Conflict, NewConflict } from '../domain/conflicts.ts';
import type { DeadLetter, DeadLetterKind, NewDeadLetter } from '../domain/dead-letters.ts';
import type { EchoLine } from '../domain/echoes.ts';
import type { EntityKind, EntityRow, StageTotal } from '../domain/entities.ts';
import type { Item, ItemKind, ItemScope } from '../domain/items.ts';
import type {
  NewOutboxRow,
  OutboxOutcome,
  OutboxRow,
  WriteBase,
  WriteKind,
  WriteRow,
} from '../domain/outbox.ts';
import type { MirroredRecord, WrittenRecord } from '../domain/records.ts';
import type { SyncRun } from '../domain/sync-runs.ts';
import type { SyncFailure } from '../domain/sync-state.ts';
import type { SyncRunStore } from './sync/ports.ts';

export type { SyncPage, SyncRunStore } from './sync/ports.ts';

/** A page of rows and the position to continue from; null when there are no more. */
export interface Page<T, P> {
  readonly rows: readonly T[];
  readonly next: P | null;
}

/** What the staleness gate needs to know of a mirrored record. */
export type RecordState = Pick<
  MirroredRecord,
  'recordId' | 'readAt' | 'hash' | 'deletedAt' | 'mergedInto' | 'hidden'
>;

export interface RecordStore {
  states(object: string, recordIds: readonly string[]): Promise<Map<string, RecordState>>;
  load(object: string, recordIds: readonly string[]): Promise<Map<string, MirroredRecord>>;
  /** Writes whole rows; a row whose stored `readAt` is later stays as it is. */
  upsert(records: readonly WrittenRecord[]): Promise<void>;
  /** Notes that an unchanged record was seen again at a later instant. */
  touch(object: string, recordIds: readonly string[], readAt: string): Promise<void>;
  markGone(
    gone: readonly {
      object: string;
      recordId: string;
      readAt: string;
      deletedAt: string;
      mergedInto: string | null;
    }[],
  ): Promise<void>;
  /** Hides a record, without its values; or lets it be read again. */
  setHidden(object: string, recordIds: readonly string[], hidden: boolean, at: string): Promise<void>;
  countLive(object: string): Promise<number>;
  /** Of which of these objects a record is, and what has become of it; null when it was never seen. */
  whereabouts(
    objects: readonly string[],
    recordId: string,
  ): Promise<Pick<MirroredRecord, 'object' | 'deletedAt' | 'mergedInto'> | null>;
  /** Ids of live records last read before `readAt`, in id order, from after `afterId`. */
  liveIds(object: string, beforeReadAt: string, afterId: string, limit: number): Promise<string[]>;
}

export interface EntityStore {
  byRecordIds(kind: EntityKind, recordIds: readonly string[]): Promise<Map<string, EntityRow>>;
  /** By our id or by the Attio record id. */
  find(kind: EntityKind, id: string): Promise<EntityRow | undefined>;
  findByKey(kind: EntityKind, key: string): Promise<EntityRow[]>;
  findByExternalId(kind: EntityKind, externalId: string): Promise<EntityRow | undefined>;
  list(kind: EntityKind, afterId: string, limit: number): Promise<EntityRow[]>;
  /** Record ids of living records that have no thing, in their order. */
  unadopted(kind: EntityKind, limit: number): Promise<string[]>;
  /** Live ones in a stage, by its title or id, in id order. */
  listByStage(kind: EntityKind, stage: string, afterId: string, limit: number): Promise<EntityRow[]>;
  stageTotals(kind: EntityKind): Promise<StageTotal[]>;
  /** Ids of the things that were merged into this one, directly or through others. */
  mergedFrom(kind: EntityKind, id: string): Promise<string[]>;
  /** Record ids of the live things that hold each key. */
  ownersOf(kind: EntityKind, keys: readonly string[]): Promise<Map<string, string[]>>;
  /** Live things that no record is known of yet, by a key of theirs. */
  unlinkedByKeys(kind: EntityKind, keys: readonly string[]): Promise<Map<string, EntityRow>>;
  /** Which of these are ids of things. */
  idsAmong(kind: EntityKind, ids: readonly string[]): Promise<Set<string>>;
  put(rows: readonly EntityRow[]): Promise<void>;
  remove(kind: EntityKind, id: string): Promise<void>;
}

export interface OutboxStore {
  /** @returns the row's id */
  add(row: NewOutboxRow<WriteKind>): Promise<number>;
  get(id: number): Promise<(WriteRow & { readonly status: string }) | undefined>;
  /** The first pending one of each thing that is not in hand and not of a held object. */
  due(
    now: string,
    but: { readonly inHand: ReadonlySet<number>; readonly held: readonly WriteKind[] },
    limit: number,
  ): Promise<WriteRow[]>;
  /** Which of these are pending no more. */
  ended(ids: readonly number[]): Promise<{ id: number; kind: WriteKind; entityId: string; status: string }[]>;
  /** What was put off is due now. */
  hurry(now: string): Promise<void>;
  nextDueAt(after: string): Promise<string | null>;
  /** Pending rows by thing, in order. */
  pendingOf<K extends WriteKind>(kind: K, entityIds: readonly string[]): Promise<Map<string, OutboxRow<K>[]>>;
  /** Only a pending row can be settled, by whoever has it in hand. @returns whether it was pending @throws ClaimLostError */
  settle(id: number, outcome: OutboxOutcome, at: string, failure: SyncFailure | null): Promise<boolean>;
  /** Takes back what was asked for, whoever has it in hand. */
  callOff(id: number, at: string): Promise<void>;
  bury(letter: NewDeadLetter): Promise<void>;
  rebase(id: number, base: WriteBase): Promise<void>;
  setExternalIdBefore(id: number, externalId: string | null): Promise<void>;
  redirect(kind: EntityKind, fromId: string, toId: string): Promise<void>;
  /** A request that makes something is about to be sent. @throws ClaimLostError */
  markSent(id: number, at: string): Promise<void>;
  retryLater(id: number, attempts: number, nextAttemptAt: string): Promise<void>;
  revive(id: number, letterId: number, now: string): Promise<boolean>;
  cancelOf(kind: WriteKind, entityIds: readonly string[], at: string): Promise<number[]>;
  /** Whether the record of a thing was asked to be deleted after a row of it, done or not. */
  isToBeDeleted(kind: EntityKind, entityId: string, afterId: number): Promise<boolean>;
  /** Which of these things have pending rows. */
  pendingAmong(kind: WriteKind, entityIds: readonly string[]): Promise<Set<string>>;
  lastFailureOf(kind: WriteKind, entityId: string): Promise<SyncFailure | null>;
  stats(): Promise<{ pending: number; oldestAcceptedAt: string | null }>;
}

export interface ConflictStore {
  append(conflicts: readonly NewConflict[]): Promise<void>;
  get(id: number): Promise<Conflict | undefined>;
  list(status: Conflict['status'] | null, afterId: number, limit: number): Promise<Page<Conflict, number>>;
  /** Open ones by thing, the oldest first. */
  openOf(object: string, entityIds: readonly string[]): Promise<Map<string, Conflict[]>>;
  /** How many are open of these things, where there are any. */
  openAmong(object: string, entityIds: readonly string[]): Promise<Map<string, number>>;
  countOpen(): Promise<number>;
  /** Of an open one. */
  update(
    id: number,
    changes: Partial<Pick<Conflict, 'local' | 'wanted' | 'attio' | 'entityId' | 'recordId'>>,
  ): Promise<void>;
  /** Only an open one can be closed. @returns whether it was */
  close(id: number, closing: Closing): Promise<boolean>;
  reopen(id: number, reason: string): Promise<void>;
}

export interface ErasureStore {
  /** Removes values from changes, conflicts, events and dead letters. */
  erase(erased: {
    object: string;
    entityIds: readonly string[];
    recordIds: readonly string[];
    keys: readonly string[];
  }): Promise<void>;
  /** The same of items. */
  eraseItems(kind: ItemKind, ids: readonly string[]): Promise<void>;
}

/** A record, by its Attio id, our id of its thing, or both. */
export interface RecordRef {
  readonly recordId: string | null;
  readonly entityId: string | null;
}

export interface ItemFilter {
  readonly listId?: string;
  /** Ids or titles. */
  readonly stages?: readonly string[];
  readonly record?: RecordRef;
  /** Of a comment: Attio's, or ours of one that Attio does not have yet. */
  readonly entryIds?: readonly string[];
  readonly threadId?: string;
  readonly isCompleted?: boolean;
}

/** What the staleness gate needs to know of an item. */
export type ItemState = Pick<Item, 'id' | 'readAt' | 'hash' | 'deletedAt'> & { readonly attioId: string };

export interface ItemStore {
  states(kind: ItemKind, attioIds: readonly string[]): Promise<Map<string, ItemState>>;
  byAttioIds(kind: ItemKind, attioIds: readonly string[]): Promise<Map<string, Item>>;
  /** Which of these ids of Attio's are of items that were made anew there: they bear another one since. */
  outlived(kind: ItemKind, attioIds: readonly string[]): Promise<Set<string>>;
  /** By our id or Attio's. */
  find(kind: ItemKind, id: string): Promise<Item | undefined>;
  findByRequest(kind: ItemKind, requestKey: string): Promise<Item | undefined>;
  /** Living ones in the order of their ids. */
  list(kind: ItemKind, filter: ItemFilter, afterId: string, limit: number): Promise<Item[]>;
  /** Living ones that Attio is not known to have, about one of these records; the oldest first. */
  unlinked(kind: ItemKind, records: readonly RecordRef[]): Promise<Item[]>;
  /** The same, of those that are about no record. */
  unlinkedAboutNothing(kind: ItemKind): Promise<Item[]>;
  /** All, living or gone, that are about one of these records, or of the things with these ids. */
  about(recordIds: readonly string[], entityIds: readonly string[]): Promise<Item[]>;
  stageTotals(
    listId: string,
  ): Promise<
    { stage: string | null; currencyCode: string | null; count: number; valueTotal: number | null }[]
  >;
  /** Whole rows, with their links. */
  put(items: readonly Item[]): Promise<void>;
  remove(kind: ItemKind, id: string): Promise<void>;
  removeAll(kind: ItemKind, ids: readonly string[]): Promise<void>;
  touch(kind: ItemKind, attioIds: readonly string[], readAt: string): Promise<void>;
  countLive(scope: ItemScope): Promise<number>;
  /** Attio ids of living items last read before `readAt`, in their order, from after `afterId`. */
  liveIds(scope: ItemScope, beforeReadAt: string, afterId: string, limit: number): Promise<string[]>;
  /** What was about a record that was merged away is about the survivor. */
  relink(deadRecordId: string, survivorRecordId: string, entityId: string | null): Promise<void>;
  /** What was about a thing that is part of another now is about that one. */
  relinkThing(fromId: string, intoId: string): Promise<void>;
}

/** What writes of ours have left in Attio. */
export interface EchoStore {
  /** A line replaces the one of the same thing and aspect. */
  put(lines: readonly EchoLine[]): Promise<void>;
  of(kind: string, attioIds: readonly string[]): Promise<EchoLine[]>;
  /** Attio's ids, of these, of things that a write is on its way to. */
  pendingAmong(kind: string, attioIds: readonly string[]): Promise<Set<string>>;
  /** Whether any write of the kind is on its way. */
  isPending(kind: string): Promise<boolean>;
}

export interface BatchStore {
  add(batch: NewBatch): Promise<void>;
  /** When it was made, and which of its items have been taken; undefined: there is none. */
  begun(id: string): Promise<{ readonly createdAt: string; readonly taken: ReadonlySet<number> } | undefined>;
  setRejected(id: string, rejected: readonly BatchRejection[]): Promise<void>;
  view(id: string): Promise<BatchView | undefined>;
}

export interface ChangeStore {
  append(changes: readonly NewChange[]): Promise<void>;
  after(seq: number, limit: number): Promise<Change[]>;
  /** A full sync of the scope has ended: what comes after it in the feed is news. Only the first one counts. */
  noteFullSync(scope: string): Promise<void>;
  /** The oldest kept and the newest place in the feed; both 0 while it is empty. `prunedThrough`: the last place that was dropped. */
  bounds(): Promise<{ prunedThrough: number; newest: number }>;
  /** The number of the latest change. */
  latest(): Promise<number>;
}

export interface DeadLetterStore {
  list(kind: DeadLetterKind | null, afterId: number, limit: number): Promise<Page<DeadLetter, number>>;
  get(id: number): Promise<DeadLetter | undefined>;
  /** 0 when there is none. */
  newestId(): Promise<number>;
  remove(id: number): Promise<void>;
  counts(): Promise<Record<DeadLetterKind, number>>;
}

export interface WorkspaceStore {
  /** The workspace that this database mirrors; null until Attio has first answered. */
  get(): Promise<string | null>;
  /** Stores the first one learnt. @returns the one that stands */
  learn(workspaceId: string, at: string): Promise<string>;
}

/** The stores that take part in one transaction. */
export interface Stores {
  readonly records: RecordStore;
  readonly entities: EntityStore;
  readonly changes: ChangeStore;
  readonly runs: SyncRunStore;
  readonly outbox: OutboxStore;
  readonly conflicts: ConflictStore;
  readonly batches: BatchStore;
  readonly erasure: ErasureStore;
  readonly items: ItemStore;
  readonly echoes: EchoStore;
}

export interface UnitOfWork extends Stores {
  /** All or nothing. Nothing but these stores may be awaited inside. */
  transaction<T>(work: (stores: Stores) => Promise<T>): Promise<T>;
}

/** Collects keys and runs them in batches: the first at once, then at most one batch per interval while more come. */
export interface Batcher<R> {
  /** @param patienceMs how long it may wait for others of its key. @default 0 */
  add(key: string, patienceMs?: number): Promise<R>;
  close(): void;
}

export type BatcherFactory = <R>(
  run: (keys: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, R>>,
) => Batcher<R>;

/** One place for what happened, in the services' words. Never throws. */
export interface SyncEvents {
  recordsSettled(
    object: string,
    outcome: 'created' | 'updated' | 'unchanged' | 'deleted' | 'merged' | 'stale' | 'invalid',
    count: number,
  ): void;
  runStarted(run: SyncRun, resumed: boolean): void;
  runProgressed(run: SyncRun): void;
  runFinished(run: SyncRun): void;
  workspaceMismatch(expected: string, actual: string): void;
  tokenRefused(detail: string): void;
  /** A fault of ours: logged whole, shown to nobody. */
  unexpected(where: string, error: unknown): void;
}

/** What happened to writes. Never throws. */
export interface OutboxEvents {
  writeSettled(kind: WriteKind, outcome: OutboxOutcome, lagSeconds: number): void;
  writeRetried(kind: WriteKind, attempt: number, error: unknown): void;
  writeBuried(kind: WriteKind, reason: string): void;
  /** `open`: it waits for a person. */
  conflictDecided(object: string, decided: 'local' | 'attio' | 'open', count: number): void;
  outboxPaused(waitMs: number, error: unknown): void;
  unexpected(where: string, error: unknown): void;
}

/** What events that may be echoes of our writes have turned out to be. Never throws. */
export interface EchoEvents {
  /**
   * `suppressed`: it brought our own write back. `near_miss`: what it was about differs from what we wrote. `expired`: it
   * came later than echoes are expected.
   */
  echoMet(kind: string, outcome: 'suppressed' | 'near_miss' | 'expired'): void;
}
