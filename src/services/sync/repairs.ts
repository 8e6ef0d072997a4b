import { sameValue } from '../../attio/values/same.ts';
import type { Clock } from '../../domain/clock.ts';
import type { EntityRow } from '../../domain/entities.ts';
import type { Json } from '../../domain/json.ts';
import { fieldOf } from '../../domain/mapping.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { RecordSnapshot, RecordValues } from '../../domain/records.ts';
import { plainField, slugOf } from '../outbox/fields.ts';
import { Pace } from '../pace.ts';
import type { Stores } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import { inputFor } from './fields.ts';
import { entityKindOf, type Mapping } from './mapping.ts';

/** Somebody who sets a field again and again, such as another service that takes it for its own, is answered this often. */
const EVERY_MS = 60_000;

/**
 * Fields that only go out: where Attio has something else than we do, ours is written again. A field that is empty here
 * is left alone.
 */
export class Repairs {
  readonly #mapping: Mapping;
  readonly #schema: Pick<SchemaService, 'knownAttributes'>;
  readonly #pace: Pace;
  readonly #onStored: () => void;
  #isUsed = false;

  /** @param deps.onStored a write may wait */
  constructor(deps: {
    mapping: Mapping;
    schema: Pick<SchemaService, 'knownAttributes'>;
    clock: Clock;
    onStored: () => void;
  }) {
    this.#mapping = deps.mapping;
    this.#schema = deps.schema;
    this.#pace = new Pace(deps.clock, EVERY_MS);
    this.#onStored = deps.onStored;
  }

  /** What a record lacks of its thing, as far as the schema is in memory. */
  due(entity: EntityRow, values: RecordValues): WriteIntent {
    const kept = this.#mapping.kept(entity.kind);
    const attributes = kept.length === 0 ? null : this.#schema.knownAttributes(entity.kind);
    const due: Record<string, Json> = {};
    for (const rule of attributes === null ? [] : kept) {
      const field = fieldOf(rule);
      const attribute = attributes?.get(slugOf(field));
      const ours = this.#mapping.heldBy(entity, rule);
      const converted = ours === null || attribute === undefined ? null : inputFor(rule, ours);
      if (attribute === undefined || converted === null || !('value' in converted)) continue;
      const theirs = plainField(field, attribute, values);
      if (!isThere(attribute.type, converted.value, theirs)) due[field] = converted.value;
    }
    return due;
  }

  /**
   * Stores the write that puts a record right, unless one is under way, or was a moment ago.
   * @param before what the record had, as far as it is known: what has changed since is put on record as a conflict
   */
  async store(
    stores: Stores,
    entity: EntityRow,
    now: RecordValues,
    before: RecordValues | undefined,
    at: string,
  ): Promise<void> {
    const intent = this.due(entity, now);
    const fields = Object.keys(intent);
    if (fields.length === 0) return;
    const { kind, id } = entity;
    if ((await stores.outbox.pendingAmong(kind, [id])).has(id) || !this.#pace.isDue(id)) return;
    const attributes = this.#schema.knownAttributes(kind);
    const base: Record<string, Json> = {};
    for (const field of fields) {
      const attribute = attributes?.get(slugOf(field));
      if (attribute !== undefined) base[field] = plainField(field, attribute, before ?? now);
    }
    await stores.outbox.add({
      operation: 'upsert',
      kind,
      entityId: id,
      key: null,
      intent,
      base,
      externalIdBefore: undefined,
      acceptedAt: at,
      afterId: null,
      batch: null,
    });
    this.#isUsed = true;
  }

  /** The same of records that were just read, and whose things are stored. @param before by record id */
  async afterRead(
    stores: Stores,
    object: string,
    read: readonly RecordSnapshot[],
    before: ReadonlyMap<string, Pick<RecordSnapshot, 'values'>>,
    at: string,
  ): Promise<void> {
    const kind = entityKindOf(object);
    if (kind === null || this.#mapping.kept(kind).length === 0) return;
    const ids = read.map(({ recordId }) => recordId);
    const things = await stores.entities.byRecordIds(kind, ids);
    for (const { recordId, values } of read) {
      const thing = things.get(recordId);
      if (thing !== undefined) await this.store(stores, thing, values, before.get(recordId)?.values, at);
    }
  }

  /** What was stored is committed: a writer may take it in hand. */
  committed(): void {
    if (this.#isUsed) this.#onStored();
  }
}

/** A list is there when each of its values is. */
function isThere(type: string, ours: Json, theirs: Json): boolean {
  const there = Array.isArray(theirs) ? theirs : [theirs];
  return [ours].flat().every((value) => there.some((read) => read !== null && sameValue(type, value, read)));
}
