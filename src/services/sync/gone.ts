import type { NewChange } from '../../domain/changes.ts';
import type { Clock } from '../../domain/clock.ts';
import { decideAbsence } from '../../domain/decide.ts';
import { blankFacts, type EntityKind, type EntityRow } from '../../domain/entities.ts';
import { survivorOf } from '../../domain/identity.ts';
import { closeAll, type Reading, readingOf } from '../conflicts/open.ts';
import { survivorOfThing } from '../living.ts';
import type { RecordState, Stores, SyncEvents, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import { join } from './joining.ts';
import { entityKindOf, type Mapping } from './mapping.ts';

/** A record that Attio no longer has. */
export interface Absence {
  readonly recordId: string;
  /** The instant of the read that did not find it. */
  readonly readAt: string;
  /** `merged`: Attio said into which record. `look`: see whether its keys live on in another. `deleted`: Attio said so. */
  readonly fate:
    | { readonly kind: 'merged'; readonly survivorId: string }
    | { readonly kind: 'look' | 'deleted' };
}

export interface GoneCounts {
  readonly deleted: number;
  readonly merged: number;
}

interface Settled {
  readonly absence: Absence;
  /** The record that lives on; one that is known to have been merged further on is followed to the last. */
  readonly survivorId: string | null;
  /** Our thing of that record; null when there is none. */
  readonly heir: EntityRow | null;
  readonly change: NewChange;
  readonly entity: EntityRow | null;
}

/**
 * Marks records that are gone from Attio: deleted, or merged into a survivor.
 *
 * A merge is known from Attio's event, or recognised: every key of the vanished record lives on in one other
 * record. A record that was first taken for deleted becomes merged when the event arrives late.
 */
export class GoneService {
  readonly #store: UnitOfWork;
  readonly #mapping: Mapping;
  readonly #schema: Pick<SchemaService, 'knownAttributes'>;
  readonly #clock: Clock;
  readonly #events: SyncEvents;
  readonly #onCommitted: (object: string, recordIds: readonly string[]) => void;
  readonly #onGone: (recordIds: readonly string[]) => void;

  /** @param deps.onGone called after the commit with the records whose items are to be looked at: the gone, and survivors */
  constructor(deps: {
    store: UnitOfWork;
    mapping: Mapping;
    schema: Pick<SchemaService, 'knownAttributes'>;
    clock: Clock;
    events: SyncEvents;
    onCommitted: (object: string, recordIds: readonly string[]) => void;
    onGone: (recordIds: readonly string[]) => void;
  }) {
    this.#store = deps.store;
    this.#mapping = deps.mapping;
    this.#schema = deps.schema;
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#onCommitted = deps.onCommitted;
    this.#onGone = deps.onGone;
  }

  /** The keys by which a survivor of a living record would be known; none for what is gone already. */
  async keysOf(object: string, recordId: string): Promise<readonly string[]> {
    const kind = entityKindOf(object);
    if (kind === null) return [];
    const record = (await this.#store.records.load(kind, [recordId])).get(recordId);
    return record === undefined || record.deletedAt !== null ? [] : this.#mapping.keysIn(kind, record.values);
  }

  /** @param within runs in the same transaction, with what was settled */
  async settle(
    object: string,
    absences: readonly Absence[],
    within: (stores: Stores, counts: GoneCounts) => Promise<void> = async () => {},
  ): Promise<GoneCounts> {
    if (absences.length === 0) return { deleted: 0, merged: 0 };
    const settled = await this.#store.transaction(async (stores) => {
      await this.#rememberUnknown(stores, object, absences);
      const done = await this.#plan(stores, object, absences);
      await this.#write(stores, object, done);
      await within(stores, count(done));
      return done;
    });
    const counts = count(settled);
    this.#events.recordsSettled(object, 'deleted', counts.deleted);
    this.#events.recordsSettled(object, 'merged', counts.merged);
    if (settled.length > 0) {
      this.#onCommitted(
        object,
        settled.map((row) => row.absence.recordId),
      );
      this.#onGone(settled.map((row) => row.survivorId ?? row.absence.recordId));
    }
    return counts;
  }

  /**
   * A record that was never mirrored leaves a gravestone all the same: an older answer that still shows it may be on
   * its way, and others may have been merged into it.
   */
  async #rememberUnknown(stores: Stores, object: string, absences: readonly Absence[]): Promise<void> {
    const recordIds = absences.map((absence) => absence.recordId);
    const states = await stores.records.states(object, recordIds);
    const unknown = absences.filter((absence) => !states.has(absence.recordId));
    const at = new Date(this.#clock.now()).toISOString();
    await stores.records.upsert(
      unknown.map(({ recordId, readAt }) => {
        const stone = { deletedAt: at, mergedInto: null, hidden: false, webUrl: null, values: {}, hash: '' };
        return { object, recordId, createdAt: at, readAt, ...stone };
      }),
    );
    const kind = entityKindOf(object);
    if (kind === null) return;
    // Also of one that was looked for in vain before its merge was told.
    const merged = absences.flatMap(({ fate, recordId }) => (fate.kind === 'merged' ? [recordId] : []));
    const known = await stores.entities.byRecordIds(kind, merged);
    const nameless = merged.filter((recordId) => !known.has(recordId));
    await stores.entities.put(nameless.map((recordId) => gravestone(kind, recordId, at)));
  }

  async #plan(stores: Stores, object: string, absences: readonly Absence[]): Promise<Settled[]> {
    const kind = entityKindOf(object);
    const recordIds = absences.map((absence) => absence.recordId);
    const states = await stores.records.states(object, recordIds);
    const entities =
      kind === null ? new Map<string, EntityRow>() : await stores.entities.byRecordIds(kind, recordIds);
    const looked = absences.filter(({ fate }) => fate.kind === 'look').map(({ recordId }) => recordId);
    const survivors = kind === null ? new Map() : await survivorsByKeys(stores, this.#mapping, kind, looked);
    const settled: Settled[] = [];
    for (const absence of absences) {
      const { recordId, fate } = absence;
      const entity = entities.get(recordId) ?? null;
      const told = fate.kind === 'merged' ? fate.survivorId : (survivors.get(recordId) ?? null);
      const { survivorId, heir } = await lastSurvivor(stores, kind, told, entity);
      if (!isNews(states.get(recordId), absence, survivorId)) continue;
      settled.push({
        absence,
        survivorId,
        heir,
        entity,
        change: this.#tell(object, absence, entity, heir, survivorId),
      });
    }
    return settled;
  }

  #tell(
    object: string,
    { recordId }: Absence,
    entity: EntityRow | null,
    heir: EntityRow | null,
    survivorId: string | null,
  ): NewChange {
    const at = new Date(this.#clock.now()).toISOString();
    const id = entity?.id ?? recordId;
    const common = { object, source: 'attio', changed: [], at } as const;
    if (survivorId === null) return { ...common, type: 'record.deleted', id, data: { recordId } };
    const data = { recordId: survivorId, mergedRecordId: recordId };
    return { ...common, type: 'record.merged', id: heir?.id ?? survivorId, mergedId: id, data };
  }

  async #write(stores: Stores, object: string, settled: readonly Settled[]): Promise<void> {
    const recordIds = settled.map(({ absence }) => absence.recordId);
    const before = await stores.records.states(object, recordIds);
    await stores.records.markGone(
      settled.map(({ absence, survivorId, change }) => ({
        object,
        recordId: absence.recordId,
        readAt: absence.readAt,
        deletedAt: change.at,
        mergedInto: survivorId,
      })),
    );
    for (const row of settled) {
      const { absence, survivorId, heir } = row;
      // Several may be merged into one: each finds it as the one before has left it.
      const into = heir === null ? undefined : await stores.entities.find(heir.kind, heir.id);
      await this.#putGone(stores, row, into, before.get(absence.recordId)?.hidden === true);
      if (survivorId !== null) await stores.items.relink(absence.recordId, survivorId, into?.id ?? null);
    }
    await stores.changes.append(settled.map(({ change }) => change));
  }

  /** @param isRemoved the thing was removed here: it leaves nothing to the survivor */
  async #putGone(
    stores: Stores,
    { entity, survivorId, change: { at } }: Settled,
    into: EntityRow | undefined,
    isRemoved: boolean,
  ): Promise<void> {
    if (entity === null) return;
    if (into !== undefined) {
      const from = isRemoved ? { ...entity, externalId: null } : entity;
      await join(stores, this.#mapping, { from, into, read: await this.#readingOf(stores, into), at });
      return;
    }
    const { kind, id, version, deletedAt } = entity;
    const gone = { version: version + 1, updatedAt: at, deletedAt: deletedAt ?? at, mergedInto: survivorId };
    await stores.entities.put([{ ...entity, ...gone }]);
    await closeAll(stores, kind, [id], 'deleted_in_attio', at);
  }

  async #readingOf(stores: Stores, { kind, recordId }: EntityRow): Promise<Reading | null> {
    const record =
      recordId === null ? undefined : (await stores.records.load(kind, [recordId])).get(recordId);
    return record === undefined ? null : readingOf(this.#schema.knownAttributes(kind), record.values);
  }
}

/** The one record that holds all keys of a record that is gone, by what Attio has shown of both. */
async function survivorsByKeys(
  stores: Stores,
  mapping: Mapping,
  kind: EntityKind,
  recordIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const gone = await stores.records.load(kind, recordIds);
  const keys = new Map([...gone].map(([id, { values }]) => [id, mapping.keysIn(kind, values)]));
  const owners = await stores.entities.ownersOf(kind, [...new Set([...keys.values()].flat())]);
  // A thing also shows the keys that are on their way to its record.
  const records = await stores.records.load(kind, [...new Set([...owners.values()].flat())]);
  const holds = (recordId: string, key: string) =>
    mapping.keysIn(kind, records.get(recordId)?.values ?? {}).includes(key);
  const ownerOf = (key: string) => (owners.get(key) ?? []).filter((recordId) => holds(recordId, key));
  return new Map(
    [...keys].flatMap(([id, own]) => {
      const survivorId = survivorOf(id, own, ownerOf);
      return survivorId === null ? [] : [[id, survivorId] as const];
    }),
  );
}

/** Events come in any order: the survivor may be known to have been merged into another one already. */
async function lastSurvivor(
  stores: Stores,
  kind: EntityKind | null,
  told: string | null,
  entity: EntityRow | null,
): Promise<{ survivorId: string | null; heir: EntityRow | null }> {
  if (kind === null || told === null) return { survivorId: told, heir: null };
  const heir = await survivorOfThing(stores.entities, kind, told);
  if (heir === undefined) return { survivorId: told, heir: null };
  // Each merged into the other: neither is there.
  if (heir.id === entity?.id) return { survivorId: null, heir: null };
  return { survivorId: heir.recordId ?? told, heir };
}

function gravestone(kind: EntityKind, recordId: string, at: string): EntityRow {
  return {
    kind,
    id: recordId,
    recordId,
    externalId: null,
    webUrl: null,
    version: 0,
    createdAt: at,
    updatedAt: at,
    deletedAt: at,
    mergedInto: null,
    syncFailure: null,
    facts: blankFacts(kind),
    keys: [],
  };
}

/** A record that is gone already is news only when Attio says what it was merged into: keys have moved on since. */
function isNews(state: RecordState | undefined, absence: Absence, survivorId: string | null): boolean {
  const decision = decideAbsence(state, absence.readAt);
  if (decision === 'already') {
    return absence.fate.kind === 'merged' && survivorId !== null && state?.mergedInto !== survivorId;
  }
  return decision === 'gone';
}

function count(settled: readonly Settled[]): GoneCounts {
  const merged = settled.filter((row) => row.survivorId !== null).length;
  return { deleted: settled.length - merged, merged };
}
