import type { NewChange } from '../../domain/changes.ts';
import type { Clock } from '../../domain/clock.ts';
import { decideAbsence } from '../../domain/decide.ts';
import { blankFacts, type EntityKind, type EntityRow, keysOf } from '../../domain/entities.ts';
import { survivorOf } from '../../domain/identity.ts';
import { closeAll, openIntents, passOnConflicts, readingOf } from '../conflicts/open.ts';
import type { RecordState, Stores, SyncEvents, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
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
  readonly survivorId: string | null;
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
    const merged = unknown.filter((absence) => absence.fate.kind === 'merged');
    if (kind !== null)
      await stores.entities.put(merged.map(({ recordId }) => gravestone(kind, recordId, at)));
  }

  async #plan(stores: Stores, object: string, absences: readonly Absence[]): Promise<Settled[]> {
    const kind = entityKindOf(object);
    const recordIds = absences.map((absence) => absence.recordId);
    const states = await stores.records.states(object, recordIds);
    const entities =
      kind === null ? new Map<string, EntityRow>() : await stores.entities.byRecordIds(kind, recordIds);
    const keys = [...entities.values()].flatMap((entity) => entity.keys);
    const owners = kind === null ? new Map<string, string[]>() : await stores.entities.ownersOf(kind, keys);
    const settled: Settled[] = [];
    for (const absence of absences) {
      const entity = entities.get(absence.recordId) ?? null;
      const survivorId = survivor(absence, entity, owners);
      if (!isNews(states.get(absence.recordId), absence, survivorId)) continue;
      settled.push(await this.#describe(stores, object, kind, absence, survivorId, entity));
    }
    return settled;
  }

  async #describe(
    stores: Stores,
    object: string,
    kind: EntityKind | null,
    absence: Absence,
    survivorId: string | null,
    entity: EntityRow | null,
  ): Promise<Settled> {
    const at = new Date(this.#clock.now()).toISOString();
    const survivorThing =
      kind === null || survivorId === null ? undefined : await stores.entities.find(kind, survivorId);
    const survivorThingId = survivorThing?.id ?? survivorId;
    const id = entity?.id ?? absence.recordId;
    return {
      absence,
      survivorId,
      entity: entity && {
        ...entity,
        version: entity.version + 1,
        updatedAt: at,
        deletedAt: entity.deletedAt ?? at,
        mergedInto: survivorThingId,
      },
      change: {
        type: survivorThingId === null ? 'record.deleted' : 'record.merged',
        object,
        id: survivorThingId ?? id,
        ...(survivorThingId === null ? {} : { mergedId: id }),
        source: 'attio',
        changed: [],
        at,
        data:
          survivorId === null
            ? { recordId: absence.recordId }
            : { recordId: survivorId, mergedRecordId: absence.recordId },
      },
    };
  }

  async #write(stores: Stores, object: string, settled: readonly Settled[]): Promise<void> {
    await stores.records.markGone(
      settled.map(({ absence, survivorId, change }) => ({
        object,
        recordId: absence.recordId,
        readAt: absence.readAt,
        deletedAt: change.at,
        mergedInto: survivorId,
      })),
    );
    const things = settled.flatMap(({ entity }) => (entity === null ? [] : [entity]));
    await stores.entities.put(things);
    for (const thing of things) await this.#passOn(stores, thing);
    for (const { absence, survivorId } of settled) {
      if (survivorId !== null) await relink(stores, object, absence.recordId, survivorId);
    }
    await stores.changes.append(settled.map(({ change }) => change));
  }

  /** What was to be written to a thing that was merged away, or decided of it, is of the survivor. */
  async #passOn(stores: Stores, { kind, id, mergedInto, updatedAt: at }: EntityRow): Promise<void> {
    const survivor = mergedInto === null ? undefined : await stores.entities.find(kind, mergedInto);
    if (survivor === undefined) return closeAll(stores, kind, [id], 'deleted_in_attio', at);
    const { recordId } = survivor;
    const record =
      recordId === null ? undefined : (await stores.records.load(kind, [recordId])).get(recordId);
    const read = record === undefined ? null : readingOf(this.#schema.knownAttributes(kind), record.values);
    await passOnConflicts(stores, kind, id, { entityId: survivor.id, recordId, read }, at);
    const pending = (await stores.outbox.pendingOf(kind, [id])).get(id) ?? [];
    const open = (await openIntents(stores, kind, [survivor.id])).get(survivor.id) ?? [];
    const intents = pending.flatMap((row) => (row.operation === 'upsert' ? [row.intent] : []));
    if (intents.length + open.length === 0) return;
    await stores.outbox.redirect(kind, id, survivor.id);
    const facts = this.#mapping.overlay(kind, survivor.facts, [...open, ...intents]);
    await stores.entities.put([{ ...survivor, facts, keys: keysOf(facts) }]);
  }
}

/** What was about the record that is dead is about the survivor. */
async function relink(stores: Stores, object: string, deadId: string, survivorId: string): Promise<void> {
  const kind = entityKindOf(object);
  const thing = kind === null ? undefined : await stores.entities.find(kind, survivorId);
  await stores.items.relink(deadId, survivorId, thing?.id ?? null);
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

function survivor(
  absence: Absence,
  entity: EntityRow | null,
  owners: ReadonlyMap<string, readonly string[]>,
): string | null {
  if (absence.fate.kind === 'merged') return absence.fate.survivorId;
  if (absence.fate.kind === 'deleted' || entity === null) return null;
  return survivorOf(absence.recordId, entity.keys, (key) => owners.get(key) ?? []);
}

/** A record that is gone already is news only when we now learn what it was merged into. */
function isNews(state: RecordState | undefined, absence: Absence, survivorId: string | null): boolean {
  const decision = decideAbsence(state, absence.readAt);
  if (decision === 'already') return survivorId !== null && state?.mergedInto !== survivorId;
  return decision === 'gone';
}

function count(settled: readonly Settled[]): GoneCounts {
  const merged = settled.filter((row) => row.survivorId !== null).length;
  return { deleted: settled.length - merged, merged };
}
