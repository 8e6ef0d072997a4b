import { isAttioError } from '../../attio/errors.ts';
import type { RecordsResource } from '../../attio/resources/records.ts';
import { type EntityKind, type EntityRow, normalKey } from '../../domain/entities.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { OutboxRow, WriteIntent } from '../../domain/outbox.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import { askAttio } from '../attio-errors.ts';
import { ServiceError } from '../errors.ts';
import { survivorOfThing } from '../living.ts';
import type { EntityStore, OutboxStore } from '../ports.ts';
import type { GoneService } from '../sync/gone.ts';
import { entityKindOf, type Mapping } from '../sync/mapping.ts';
import type { RecordSource } from '../sync/source.ts';
import { replacementOf } from './fields.ts';
import type { LookService } from './look.ts';

/** What a write is to be written to. */
export interface Target {
  readonly entity: EntityRow;
  /** The record as it is now; null: there is none yet. */
  readonly snapshot: RecordSnapshot | null;
  /** The thing had a record that Attio no longer has. */
  readonly wasDeleted: boolean;
  /** The key that the write is for has moved to this record since: what was agreed on was of another one. */
  readonly moved?: true;
}

function thingIn(input: Json): { readonly kind: EntityKind; readonly id: string } | null {
  const named = isJsonObject(input) ? input['entity'] : undefined;
  if (!isJsonObject(named)) return null;
  return { kind: named['kind'] as EntityKind, id: String(named['id']) }; // written by `entityReference`
}

/** The things that an input refers to, alone or in a list. */
function thingsIn(input: Json): { readonly kind: EntityKind; readonly id: string }[] {
  const values = replacementOf(input) ?? [input].flat();
  return values.flatMap((value) => thingIn(value) ?? []);
}

/** Finds the record that a write is for, as Attio has it now. */
export class TargetFinder {
  readonly #entities: EntityStore;
  readonly #outbox: Pick<OutboxStore, 'pendingOf' | 'isToBeDeleted'>;
  readonly #source: Pick<RecordSource, 'byKeys'>;
  readonly #records: Pick<RecordsResource, 'get'>;
  readonly #look: LookService;
  readonly #gone: GoneService;
  readonly #mapping: Mapping;

  constructor(deps: {
    entities: EntityStore;
    outbox: Pick<OutboxStore, 'pendingOf' | 'isToBeDeleted'>;
    source: Pick<RecordSource, 'byKeys'>;
    records: Pick<RecordsResource, 'get'>;
    look: LookService;
    gone: GoneService;
    mapping: Mapping;
  }) {
    this.#entities = deps.entities;
    this.#outbox = deps.outbox;
    this.#source = deps.source;
    this.#records = deps.records;
    this.#look = deps.look;
    this.#gone = deps.gone;
    this.#mapping = deps.mapping;
  }

  /**
   * By the record that the thing has; by its key when it has none, or none any more.
   * @returns null when there is no such thing here any more
   * @throws ServiceError
   */
  async find(row: OutboxRow): Promise<Target | null> {
    const entity = await this.living(row.kind, row.entityId);
    if (entity === null) return null;
    const seen = await this.#byRecord(row.kind, entity);
    if (await this.#isRemoved(row, seen)) return null;
    const { kind, key } = row;
    if (key === null || (seen.snapshot !== null && this.#holds(kind, seen.snapshot, key))) return seen;
    const { snapshot } = await this.#look.byKey(kind, key);
    if (snapshot !== null) await this.#afterDeletion(row, snapshot.recordId);
    if (seen.snapshot === null) return this.#unheld(row, seen, snapshot);
    const owner = snapshot === null ? undefined : await this.#ownerOf(kind, snapshot.recordId);
    return owner === undefined ? seen : { entity: owner, snapshot, wasDeleted: false, moved: true };
  }

  /** A thing without a record. @param holder the record that has its key */
  async #unheld(row: OutboxRow, seen: Target, holder: RecordSnapshot | null): Promise<Target> {
    const snapshot = holder ?? (await this.#byOtherKeys(row, seen.entity));
    // The looks may have told whose record it is.
    return { ...seen, entity: (await this.living(row.kind, row.entityId)) ?? seen.entity, snapshot };
  }

  /** The one record that has another of the addresses. Of several, none is it. */
  async #byOtherKeys(row: OutboxRow, { keys }: EntityRow): Promise<RecordSnapshot | null> {
    const others = keys.filter((key) => key !== row.key);
    const looks = await Promise.all(others.map((key) => this.#look.byKey(row.kind, key)));
    const found = new Map(
      looks.flatMap(({ snapshot }) => (snapshot === null ? [] : [[snapshot.recordId, snapshot]])),
    );
    const [snapshot = null] = found.size === 1 ? found.values() : [];
    if (snapshot !== null) await this.#afterDeletion(row, snapshot.recordId);
    return snapshot;
  }

  #holds(kind: EntityKind, { values }: RecordSnapshot, key: string): boolean {
    return this.#mapping.keysIn(kind, values).includes(key);
  }

  async #ownerOf(kind: EntityKind, recordId: string): Promise<EntityRow | undefined> {
    return (await this.#entities.byRecordIds(kind, [recordId])).get(recordId);
  }

  /** A record that is to be deleted first is not the one to write to. @throws ServiceError `unavailable` until it is */
  async #afterDeletion({ kind, id }: OutboxRow, recordId: string): Promise<void> {
    const owner = await this.#ownerOf(kind, recordId);
    const pending = owner === undefined ? [] : (await this.#outbox.pendingOf(kind, [owner.id])).get(owner.id);
    if (!pending?.some((row) => row.operation === 'delete' && row.id < id)) return;
    throw new ServiceError('unavailable', 'the deletion of the record comes first', { isolated: true });
  }

  /** It was removed here, and Attio need not have what was to be written: it has no record of it, or not for long. */
  async #isRemoved({ id, kind, entityId }: OutboxRow, { entity, wasDeleted }: Target): Promise<boolean> {
    if (entity.deletedAt === null || wasDeleted) return false;
    // The look may have brought it back.
    const now = await this.living(kind, entityId);
    if (now === null || now.deletedAt === null) return false;
    return now.recordId === null || this.#outbox.isToBeDeleted(kind, now.id, id);
  }

  async #byRecord(kind: EntityKind, entity: EntityRow): Promise<Target> {
    const { recordId } = entity;
    if (recordId === null) return { entity, snapshot: null, wasDeleted: false };
    const { snapshot, readAt } = await this.#look.byId(kind, recordId);
    if (snapshot !== null) return { entity, snapshot, wasDeleted: false };
    // A filter that leaves one out is no proof: it is asked for by its id before it counts as deleted.
    if (await this.#isThere(kind, recordId)) {
      throw new ServiceError('unavailable', 'Attio shows the record, but does not find it', {
        isolated: true,
      });
    }
    // A survivor of a merge holds its keys, and may be new to us.
    await Promise.all(entity.keys.map((key) => this.#look.byKey(kind, key)));
    await this.#gone.settle(kind, [{ recordId, readAt, fate: { kind: 'look' } }]);
    const survivor = await this.living(kind, entity.id);
    if (survivor === null || survivor.recordId === recordId)
      return { entity, snapshot: null, wasDeleted: true };
    return this.#byRecord(kind, survivor);
  }

  async #isThere(kind: EntityKind, recordId: string): Promise<boolean> {
    try {
      await this.#records.get(kind, recordId);
      return true;
    } catch (error) {
      if (isAttioError(error, 'not_found')) return false;
      return askAttio<boolean>(() => Promise.reject(error));
    }
  }

  /** The id of another record that holds one of the keys to be written; null when none is found. */
  async otherHolder(kind: EntityKind, target: Target, written: readonly Json[]): Promise<string | null> {
    for (const value of written) {
      const key = isJsonObject(value) ? Object.values(value)[0] : value;
      if (typeof key !== 'string') continue;
      const { snapshot } = await this.#look.byKey(kind, normalKey(kind, key));
      if (snapshot !== null && snapshot.recordId !== target.snapshot?.recordId) return snapshot.recordId;
    }
    return null;
  }

  /** The thing with an id, whatever has become of it. */
  async itself(kind: EntityKind, id: string): Promise<EntityRow | null> {
    return (await this.#entities.find(kind, id)) ?? null;
  }

  /** The record that holds a key, without taking it in. */
  async recordOf(kind: EntityKind, key: string, signal: AbortSignal): Promise<string | null> {
    const { snapshots } = await this.#source.byKeys(kind, [key], signal);
    return snapshots.find((snapshot) => this.#holds(kind, snapshot, key))?.recordId ?? null;
  }

  /** The thing with an id, or the one that it was merged into. */
  async living(kind: EntityKind, id: string): Promise<EntityRow | null> {
    return (await survivorOfThing(this.#entities, kind, id)) ?? null;
  }

  /**
   * An intent with references to things put as references to their records.
   * @throws ServiceError `refused` when such a thing has no record: its own write was refused
   */
  async resolve(intent: WriteIntent): Promise<WriteIntent> {
    const resolved = Object.entries(intent).map(async ([field, input]) => [
      field,
      await this.#reference(input),
    ]);
    return Object.fromEntries(await Promise.all(resolved));
  }

  /** An intent without what refers to records that are known to be gone. */
  async withoutGone(intent: WriteIntent): Promise<WriteIntent> {
    const isGone = async (value: Json): Promise<boolean> => {
      const { object, recordId } = isJsonObject(value) ? value : {};
      const kind = typeof object === 'string' ? entityKindOf(object) : null;
      if (kind === null || typeof recordId !== 'string') return false;
      const entity = await this.living(kind, recordId);
      return entity !== null && entity.deletedAt !== null;
    };
    const kept = Object.entries(intent).map(async ([field, input]) => {
      if (!Array.isArray(input)) return (await isGone(input)) ? [] : [[field, input] as const];
      const gone = await Promise.all(input.map(isGone));
      return [[field, input.filter((_, index) => gone[index] !== true)] as const];
    });
    return Object.fromEntries((await Promise.all(kept)).flat());
  }

  /** Looks at the records of the things that an intent refers to. @returns whether there are any */
  async recheck(intent: WriteIntent): Promise<boolean> {
    const named = Object.values(intent).flatMap(thingsIn);
    for (const { kind, id } of named) {
      const entity = await this.living(kind, id);
      if (entity !== null) await this.#byRecord(kind, entity);
    }
    return named.length > 0;
  }

  async #reference(input: Json): Promise<Json> {
    const replacement = replacementOf(input);
    if (replacement !== null) return { replace: await this.#references(replacement) };
    if (Array.isArray(input)) return this.#references(input);
    const named = thingIn(input);
    if (named === null) return this.#redirected(input);
    const { kind, id } = named;
    const entity = await this.living(kind, id);
    if (entity?.recordId != null) return { object: kind, recordId: entity.recordId };
    const why = entity?.syncFailure?.detail ?? 'it is not in Attio';
    throw new ServiceError('refused', `the ${kind} record that it refers to could not be made: ${why}`);
  }

  /** A reference to a record by its id: one that was merged away is the survivor. */
  async #redirected(input: Json): Promise<Json> {
    if (!isJsonObject(input)) return input;
    const { object, recordId } = input;
    const kind = typeof object === 'string' ? entityKindOf(object) : null;
    if (kind === null || typeof recordId !== 'string') return input;
    const entity = await this.living(kind, recordId);
    return entity?.recordId == null ? input : { ...input, recordId: entity.recordId };
  }

  #references(inputs: readonly Json[]): Promise<Json[]> {
    return Promise.all(inputs.map((input) => this.#reference(input)));
  }
}
