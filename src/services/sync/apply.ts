import { createHash } from 'node:crypto';
import type { NewChange } from '../../domain/changes.ts';
import type { Clock } from '../../domain/clock.ts';
import { decideSnapshot, type SnapshotDecision } from '../../domain/decide.ts';
import { type EntityKind, type EntityRow, keysOf, type PlainAttributes } from '../../domain/entities.ts';
import { canonicalJson } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import { meetReadings, readingOf } from '../conflicts/open.ts';
import { slugOf } from '../outbox/fields.ts';
import type { Stores, SyncEvents, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import { entityKindOf, type Mapping } from './mapping.ts';
import { type PlainOf, sameFacts } from './project.ts';
import type { Repairs } from './repairs.ts';
import { tellRecord } from './telling.ts';

export interface ApplyCounts {
  readonly created: number;
  readonly updated: number;
  /** Includes answers that were older than what is mirrored, and what was removed here. */
  readonly unchanged: number;
  readonly stale: number;
}

export interface ApplyOptions {
  /**
   * Note the later instant on unchanged records too. Needed while another read of the same object may still be
   * on its way with an older answer; costs a write.
   */
  readonly touchUnchanged: boolean;
  /** `local`: what is applied is the answer to a write of ours. @default 'attio' */
  readonly source?: NewChange['source'];
  /** Runs first in the same transaction. */
  readonly before?: (stores: Stores) => Promise<void>;
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

interface Thing {
  readonly snapshot: RecordSnapshot;
  readonly plain: PlainAttributes;
}

interface Put {
  readonly id: string;
  /** Whether a pending write of ours accounts for these changes: its webhook may come before its answer. */
  readonly explains: (changed: readonly string[]) => boolean;
}

/**
 * The one place where a read of Attio changes the mirror: webhook hints, full syncs and looks-again all end here.
 * Record, thing and change row are written in one transaction, or none of them is.
 */
export class ApplyService {
  readonly #store: UnitOfWork;
  readonly #mapping: Mapping;
  readonly #schema: Pick<SchemaService, 'plainValues' | 'knownAttributes'>;
  readonly #repairs: Pick<Repairs, 'afterRead'>;
  readonly #clock: Clock;
  readonly #events: SyncEvents;
  readonly #onCommitted: (object: string, recordIds: readonly string[]) => void;

  /** @param deps.onCommitted called with the records that changed, after the commit: caches forget, followers wake */
  constructor(deps: {
    store: UnitOfWork;
    mapping: Mapping;
    schema: Pick<SchemaService, 'plainValues' | 'knownAttributes'>;
    repairs: Pick<Repairs, 'afterRead'>;
    clock: Clock;
    events: SyncEvents;
    onCommitted: (object: string, recordIds: readonly string[]) => void;
  }) {
    this.#store = deps.store;
    this.#mapping = deps.mapping;
    this.#schema = deps.schema;
    this.#repairs = deps.repairs;
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
      await options.before?.(stores);
      const states = await stores.records.states(object, [...hashed.keys()]);
      const rows = [...hashed.values()].map((snapshot): Decided => {
        return { snapshot, decision: decideSnapshot(states.get(snapshot.recordId), snapshot) };
      });
      await this.#write(stores, object, rows.filter(isWritten), plainOf, options.source ?? 'attio');
      if (options.touchUnchanged) await touch(stores, object, rows);
      await options.within?.(stores, count(rows));
      return rows;
    });
    this.#report(object, decided);
    return count(decided);
  }

  /**
   * Makes things of the records that were mirrored before there were things of this kind. Tells nobody: followers know
   * them by the same ids.
   * @throws ServiceError `unavailable` while the schema cannot be had
   */
  async adopt(kind: EntityKind, signal: AbortSignal): Promise<void> {
    // Once, as a rule: then there is nothing to ask the schema for.
    if ((await this.#store.entities.unadopted(kind, 1)).length === 0) return;
    const plainOf = await this.#schema.plainValues(kind);
    for (let adopted = ADOPTED_AT_ONCE; adopted === ADOPTED_AT_ONCE && !signal.aborted; ) {
      adopted = await this.#store.transaction(async (stores) => {
        const records = await stores.records.load(
          kind,
          await stores.entities.unadopted(kind, ADOPTED_AT_ONCE),
        );
        const things = [...records.values()].map((snapshot) => ({
          snapshot,
          plain: plainOf(snapshot.values),
        }));
        await this.#putEntities(stores, kind, things, new Date(this.#clock.now()).toISOString());
        return things.length;
      });
    }
  }

  async #write(
    stores: Stores,
    object: string,
    decided: readonly Decided[],
    plainOf: PlainOf,
    source: NewChange['source'],
  ): Promise<void> {
    if (decided.length === 0) return;
    const at = new Date(this.#clock.now()).toISOString();
    const updatedIds = decided.flatMap((row) => (row.decision === 'updated' ? [row.snapshot.recordId] : []));
    const before = await stores.records.load(object, updatedIds);
    const things = decided.map(({ snapshot }) => ({ snapshot, plain: plainOf(snapshot.values) }));
    await stores.records.upsert(
      decided.map(({ snapshot }) => ({ ...snapshot, deletedAt: null, mergedInto: null, hidden: false })),
    );
    const put = await this.#putEntities(stores, object, things, at);
    await stores.changes.append(
      things.map(({ snapshot, plain }, index): NewChange => {
        const previous = decided[index]?.decision === 'updated' ? before.get(snapshot.recordId) : undefined;
        const entity = put.get(snapshot.recordId);
        const told = tellRecord(snapshot, plain, previous, entity?.id ?? snapshot.recordId, at);
        const ours = source === 'local' || (entity?.explains(told.changed) ?? false);
        return ours ? { ...told, source: 'local' } : told;
      }),
    );
    const read = decided.map(({ snapshot }) => snapshot);
    if (source === 'attio') await this.#repairs.afterRead(stores, object, read, before, at);
  }

  /** @returns our things by record id */
  async #putEntities(
    stores: Stores,
    object: string,
    things: readonly Thing[],
    at: string,
  ): Promise<ReadonlyMap<string, Put>> {
    const kind = entityKindOf(object);
    if (kind === null) return new Map();
    const known = await this.#existing(stores, kind, things);
    const agreed = new Map(
      things.map(({ snapshot, plain }) => {
        const id = known.get(snapshot.recordId)?.id ?? snapshot.recordId;
        return [id, this.#mapping.facts(kind, snapshot.values, plain)];
      }),
    );
    const pending = await stores.outbox.pendingOf(kind, [...agreed.keys()]);
    const open = await this.#openIntents(stores, kind, things, known, at);
    const put = new Map<string, Put>();
    const rows = things.map(({ snapshot }): EntityRow => {
      const existing = known.get(snapshot.recordId);
      const id = existing?.id ?? snapshot.recordId;
      const own = agreed.get(id) ?? this.#mapping.blank(kind);
      const intents = (pending.get(id) ?? []).map((row) => row.intent);
      const kept = this.#mapping.withKept(kind, own, existing?.facts);
      const facts = this.#mapping.overlay(kind, kept, [...(open.get(id) ?? []), ...intents]);
      // One of those on their way has arrived; those behind it have not.
      const reflected = intents.some((intent) => sameFacts(own, this.#mapping.overlay(kind, own, [intent])));
      const isMade = existing !== undefined && existing.recordId === null && !isHandMade(snapshot);
      put.set(snapshot.recordId, { id, explains: reflected ? explainer(intents, isMade) : () => false });
      const head = {
        recordId: snapshot.recordId,
        webUrl: snapshot.webUrl,
        deletedAt: null,
        mergedInto: null,
      };
      const row = {
        kind,
        id,
        externalId: null,
        version: 0,
        createdAt: snapshot.createdAt,
        updatedAt: at,
        syncFailure: null,
        ...existing,
        ...head,
        facts,
        keys: keysOf(facts),
      };
      const same = existing !== undefined && existing.deletedAt === null && sameFacts(existing.facts, facts);
      return same ? row : { ...row, version: row.version + 1, updatedAt: at };
    });
    await stores.entities.put(rows);
    return put;
  }

  /** What is asked for in conflicts that stay open, now that these things were read. */
  async #openIntents(
    stores: Stores,
    kind: EntityKind,
    things: readonly Thing[],
    known: ReadonlyMap<string, EntityRow>,
    at: string,
  ): Promise<ReadonlyMap<string, readonly WriteIntent[]>> {
    const attributes = this.#schema.knownAttributes(kind);
    const readings = things.map(({ snapshot: { recordId, values } }) => {
      return [known.get(recordId)?.id ?? recordId, readingOf(attributes, values)] as const;
    });
    return meetReadings(stores, kind, new Map(readings), at);
  }

  /** Things by the record that they have, or that turns out to be theirs: a write of ours may have made it just now. */
  async #existing(
    stores: Stores,
    kind: EntityKind,
    things: readonly Thing[],
  ): Promise<ReadonlyMap<string, EntityRow>> {
    const recordIds = things.map(({ snapshot }) => snapshot.recordId);
    const known = await stores.entities.byRecordIds(kind, recordIds);
    const keys = new Map(
      things
        .filter(({ snapshot }) => !known.has(snapshot.recordId))
        .map(({ snapshot }) => [snapshot.recordId, this.#mapping.keysIn(kind, snapshot.values)]),
    );
    const unlinked = await stores.entities.unlinkedByKeys(kind, [...keys.values()].flat());
    for (const [recordId, ownKeys] of keys) {
      const entity = ownKeys.map((key) => unlinked.get(key)).find((found) => found !== undefined);
      const taken = [...known.values()].some((other) => other.id === entity?.id);
      if (entity !== undefined && !taken) known.set(recordId, entity);
    }
    return known;
  }

  #report(object: string, decided: readonly Decided[]): void {
    const counts = count(decided);
    this.#events.recordsSettled(object, 'created', counts.created);
    this.#events.recordsSettled(object, 'updated', counts.updated);
    this.#events.recordsSettled(object, 'unchanged', counts.unchanged - counts.stale);
    this.#events.recordsSettled(object, 'stale', counts.stale);
    const changed = decided.filter(isWritten).map((row) => row.snapshot.recordId);
    if (changed.length > 0) this.#onCommitted(object, changed);
  }
}

const ADOPTED_AT_ONCE = 200;

/** What Attio sets by itself when a record is made. */
const BOOKKEEPING: ReadonlySet<string> = new Set(['record_id', 'created_at', 'created_by']);

/** @param isMade the record was made by a write of ours: what Attio has added is no one else's */
function explainer(intents: readonly WriteIntent[], isMade: boolean): Put['explains'] {
  const written = new Set(intents.flatMap((intent) => Object.keys(intent).map(slugOf)));
  return (changed) => isMade || changed.every((slug) => written.has(slug) || BOOKKEEPING.has(slug));
}

function isHandMade({ values }: RecordSnapshot): boolean {
  return values['created_by']?.[0]?.['referenced_actor_type'] === 'workspace-member';
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
    stale: decided.filter((row) => row.decision === 'stale').length,
  };
}
