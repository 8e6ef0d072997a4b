import { createHash } from 'node:crypto';
import type { NewChange } from '../../domain/changes.ts';
import type { Clock } from '../../domain/clock.ts';
import { decideSnapshot, type SnapshotDecision } from '../../domain/decide.ts';
import type { EntityRow, PlainAttributes } from '../../domain/entities.ts';
import { canonicalJson } from '../../domain/json.ts';
import { changedSlugs, type MirroredRecord, type RecordSnapshot } from '../../domain/records.ts';
import type { Stores, SyncEvents, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import { entityFacts, entityKindOf, keysOf } from './mapping.ts';

export interface ApplyCounts {
  readonly created: number;
  readonly updated: number;
  /** Includes answers that were older than what is mirrored. */
  readonly unchanged: number;
}

export interface ApplyOptions {
  /**
   * Note the later instant on unchanged records too. Needed while another read of the same object may still be
   * on its way with an older answer; costs a write.
   */
  readonly touchUnchanged: boolean;
  /** Runs in the same transaction, with what was applied. */
  readonly within?: (stores: Stores, counts: ApplyCounts) => Promise<void>;
}

interface Hashed extends RecordSnapshot {
  readonly hash: string;
}

interface Decided {
  readonly snapshot: Hashed;
  readonly decision: SnapshotDecision;
}

/**
 * The one place where a read of Attio changes the mirror: webhook hints, full syncs and looks-again all end here.
 * Record, thing and change row are written in one transaction, or none of them is.
 */
export class ApplyService {
  readonly #store: UnitOfWork;
  readonly #schema: Pick<SchemaService, 'plainValues'>;
  readonly #clock: Clock;
  readonly #events: SyncEvents;
  readonly #onCommitted: (object: string, recordIds: readonly string[]) => void;

  /** @param deps.onCommitted called with the records that changed, after the commit: caches forget, followers wake */
  constructor(deps: {
    store: UnitOfWork;
    schema: Pick<SchemaService, 'plainValues'>;
    clock: Clock;
    events: SyncEvents;
    onCommitted: (object: string, recordIds: readonly string[]) => void;
  }) {
    this.#store = deps.store;
    this.#schema = deps.schema;
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#onCommitted = deps.onCommitted;
  }

  async apply(
    object: string,
    snapshots: readonly RecordSnapshot[],
    options: ApplyOptions,
  ): Promise<ApplyCounts> {
    const plainOf = await this.#schema.plainValues(object);
    const hashed = hashLatest(snapshots);
    const decided = await this.#store.transaction(async (stores) => {
      const states = await stores.records.states(object, [...hashed.keys()]);
      const rows = [...hashed.values()].map((snapshot): Decided => {
        return { snapshot, decision: decideSnapshot(states.get(snapshot.recordId), snapshot) };
      });
      await this.#write(stores, object, rows.filter(isWritten), plainOf);
      if (options.touchUnchanged) await touch(stores, object, rows);
      await options.within?.(stores, count(rows));
      return rows;
    });
    this.#report(object, decided);
    return count(decided);
  }

  async #write(
    stores: Stores,
    object: string,
    decided: readonly Decided[],
    plainOf: (values: RecordSnapshot['values']) => PlainAttributes,
  ): Promise<void> {
    if (decided.length === 0) return;
    const at = new Date(this.#clock.now()).toISOString();
    const updatedIds = decided.flatMap((row) => (row.decision === 'updated' ? [row.snapshot.recordId] : []));
    const before = await stores.records.load(object, updatedIds);
    const things = decided.map(({ snapshot }) => ({ snapshot, plain: plainOf(snapshot.values) }));
    await stores.records.upsert(
      decided.map(({ snapshot }) => ({ ...snapshot, deletedAt: null, mergedInto: null })),
    );
    const entityIds = await this.#putEntities(stores, object, things, at);
    await stores.changes.append(
      things.map(({ snapshot, plain }, index): NewChange => {
        const previous = decided[index]?.decision === 'updated' ? before.get(snapshot.recordId) : undefined;
        return describe(snapshot, plain, previous, entityIds.get(snapshot.recordId) ?? snapshot.recordId, at);
      }),
    );
  }

  /** @returns our id by record id */
  async #putEntities(
    stores: Stores,
    object: string,
    things: readonly { snapshot: RecordSnapshot; plain: PlainAttributes }[],
    at: string,
  ): Promise<ReadonlyMap<string, string>> {
    const kind = entityKindOf(object);
    if (kind === null) return new Map();
    const recordIds = things.map(({ snapshot }) => snapshot.recordId);
    const known = await stores.entities.byRecordIds(kind, recordIds);
    const rows = things.map(({ snapshot, plain }): EntityRow => {
      const existing = known.get(snapshot.recordId);
      const facts = entityFacts(kind, snapshot.values, plain);
      return {
        kind,
        id: existing?.id ?? snapshot.recordId,
        recordId: snapshot.recordId,
        externalId: existing?.externalId ?? null,
        webUrl: snapshot.webUrl,
        version: (existing?.version ?? 0) + 1,
        createdAt: existing?.createdAt ?? snapshot.createdAt,
        updatedAt: at,
        deletedAt: null,
        mergedInto: null,
        facts,
        keys: keysOf(facts),
      };
    });
    await stores.entities.put(rows);
    return new Map(rows.map((row) => [row.recordId ?? row.id, row.id]));
  }

  #report(object: string, decided: readonly Decided[]): void {
    const counts = count(decided);
    const stale = decided.filter((row) => row.decision === 'stale').length;
    this.#events.recordsSettled(object, 'created', counts.created);
    this.#events.recordsSettled(object, 'updated', counts.updated);
    this.#events.recordsSettled(object, 'unchanged', counts.unchanged - stale);
    this.#events.recordsSettled(object, 'stale', stale);
    const changed = decided.filter(isWritten).map((row) => row.snapshot.recordId);
    if (changed.length > 0) this.#onCommitted(object, changed);
  }
}

/** A record may stand twice in overlapping pages: the later read counts. */
function hashLatest(snapshots: readonly RecordSnapshot[]): Map<string, Hashed> {
  const latest = new Map<string, RecordSnapshot>();
  for (const snapshot of snapshots) {
    const other = latest.get(snapshot.recordId);
    if (other === undefined || other.readAt <= snapshot.readAt) latest.set(snapshot.recordId, snapshot);
  }
  return new Map([...latest].map(([id, snapshot]) => [id, { ...snapshot, hash: hashOf(snapshot) }]));
}

function hashOf(snapshot: RecordSnapshot): string {
  return createHash('sha256')
    .update(canonicalJson([snapshot.webUrl, snapshot.values]))
    .digest('hex');
}

function isWritten(row: Decided): boolean {
  return row.decision === 'created' || row.decision === 'updated' || row.decision === 'restored';
}

async function touch(stores: Stores, object: string, decided: readonly Decided[]): Promise<void> {
  const unchanged = decided.filter((row) => row.decision === 'unchanged');
  for (const [readAt, rows] of Map.groupBy(unchanged, (row) => row.snapshot.readAt)) {
    const ids = rows.map((row) => row.snapshot.recordId);
    await stores.records.touch(object, ids, readAt);
  }
}

function count(decided: readonly Decided[]): ApplyCounts {
  const written = decided.filter(isWritten);
  const updated = written.filter((row) => row.decision === 'updated').length;
  return {
    created: written.length - updated,
    updated,
    unchanged: decided.length - written.length,
  };
}

/** A restored record is told as created: its followers were told that it is gone. */
function describe(
  snapshot: RecordSnapshot,
  plain: PlainAttributes,
  before: MirroredRecord | undefined,
  id: string,
  at: string,
): NewChange {
  return {
    type: before === undefined ? 'record.created' : 'record.updated',
    object: snapshot.object,
    id,
    source: 'attio',
    changed: changedSlugs(before?.values ?? {}, snapshot.values, sameValues),
    at,
    data: {
      recordId: snapshot.recordId,
      webUrl: snapshot.webUrl,
      createdAt: snapshot.createdAt,
      values: plain,
    },
  };
}

function sameValues(a: Parameters<typeof canonicalJson>[0], b: Parameters<typeof canonicalJson>[0]): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
