import type { Attribute } from '../../attio/types.ts';
import { AttributeValueError } from '../../attio/values/codec.ts';
import { sameValue } from '../../attio/values/same.ts';
import { writeValues } from '../../attio/values/write.ts';
import type { Clock } from '../../domain/clock.ts';
import type { EntityRow } from '../../domain/entities.ts';
import type { Json } from '../../domain/json.ts';
import { fieldOf } from '../../domain/mapping.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { RecordSnapshot, RecordValues } from '../../domain/records.ts';
import { type Attributes, isNameHalf, plainField, slugOf } from '../outbox/fields.ts';
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

  /**
   * Stores the write that puts a record right, of fields that none under way is about. A write of its own: what becomes of it is nothing
   * to whoever writes the thing's other fields.
   * @param before what the record had, as far as it is known: what has changed since is put on record as a conflict
   * @param but fields that are about to be written anyway
   */
  async store(
    stores: Stores,
    entity: EntityRow,
    now: RecordValues,
    at: string,
    { before = now, but = {} }: { readonly before?: RecordValues; readonly but?: WriteIntent } = {},
  ): Promise<void> {
    const { kind, id } = entity;
    const attributes = this.#mapping.kept(kind).length === 0 ? null : this.#schema.knownAttributes(kind);
    if (attributes === null) return;
    const all = this.#due(entity, now, attributes);
    const underWay = all.length === 0 ? [] : ((await stores.outbox.pendingOf(kind, [id])).get(id) ?? []);
    const written = [but, ...underWay.map(({ intent }) => intent)];
    const due = all.filter(({ field }) => !written.some((intent) => Object.hasOwn(intent, field)));
    if (due.length === 0) return;
    const base = due.map(({ field, attribute }) => [field, plainField(field, attribute, before)] as const);
    await stores.outbox.add({
      operation: 'upsert',
      kind,
      entityId: id,
      key: null,
      intent: Object.fromEntries(due.map(({ field, value }) => [field, value])),
      base: Object.fromEntries(base),
      externalIdBefore: undefined,
      acceptedAt: at,
      afterId: null,
      batch: null,
    });
    this.#isUsed = true;
  }

  /** What a record lacks of its thing. A value that the attribute does not take is not written. */
  #due(entity: EntityRow, now: RecordValues, attributes: Attributes): Due[] {
    return this.#mapping.kept(entity.kind).flatMap((rule): Due[] => {
      const field = fieldOf(rule);
      const attribute = attributes.get(slugOf(field));
      const ours = this.#mapping.heldBy(entity, rule);
      if (ours === null || attribute === undefined) return [];
      const converted = inputFor(rule, ours);
      if (!('value' in converted) || !takes(attribute, field, converted.value)) return [];
      const isDone = isThere(attribute.type, converted.value, plainField(field, attribute, now));
      return isDone ? [] : [{ field, attribute, value: converted.value }];
    });
  }

  /** The same of records that were just read, and whose things are stored. @param before by record id */
  async afterRead(
    stores: Stores,
    object: string,
    read: readonly RecordSnapshot[],
    before: ReadonlyMap<string, Pick<RecordSnapshot, 'values'>>,
    at: string,
  ): Promise<void> {
    for (const { thing, recordId, values } of await this.#thingsOf(stores, object, read)) {
      const held = before.get(recordId);
      // What is new here has been changed by nobody since.
      if (held === undefined || !this.#isDue(thing, values)) continue;
      await this.store(stores, thing, values, at, { before: held.values });
    }
  }

  /**
   * The same of records that are as they were when they were read before, as a full sync finds them: what came too soon
   * after another repair was left. How often that is done, is said by how often there is a full sync.
   */
  async ofUnchanged(
    stores: Stores,
    object: string,
    read: readonly RecordSnapshot[],
    at: string,
  ): Promise<void> {
    for (const { thing, values } of await this.#thingsOf(stores, object, read)) {
      // Nothing is known of what was there before: what is overwritten is put on record.
      if (this.#lacks(thing, values)) await this.store(stores, thing, values, at, { before: {} });
    }
  }

  /** Records with their things, where any field only goes out. */
  async #thingsOf(stores: Stores, object: string, read: readonly RecordSnapshot[]) {
    const kind = entityKindOf(object);
    if (kind === null || read.length === 0 || this.#mapping.kept(kind).length === 0) return [];
    const ids = read.map(({ recordId }) => recordId);
    const things = await stores.entities.byRecordIds(kind, ids);
    return read.flatMap(({ recordId, values }) => {
      const thing = things.get(recordId);
      return thing === undefined ? [] : [{ thing, recordId, values }];
    });
  }

  #isDue(thing: EntityRow, values: RecordValues): boolean {
    return this.#lacks(thing, values) && this.#pace.isDue(thing.id);
  }

  #lacks(thing: EntityRow, values: RecordValues): boolean {
    const attributes = this.#schema.knownAttributes(thing.kind);
    return attributes !== null && this.#due(thing, values, attributes).length > 0;
  }

  /** What was stored is committed: a writer may take it in hand. */
  committed(): void {
    if (this.#isUsed) this.#onStored();
  }
}

interface Due {
  readonly field: string;
  readonly attribute: Attribute;
  readonly value: Json;
}

function takes(attribute: Attribute, field: string, value: Json): boolean {
  try {
    if (!isNameHalf(field)) writeValues(attribute, value);
    return attribute.is_writable;
  } catch (error) {
    if (error instanceof AttributeValueError) return false;
    throw error;
  }
}

/** A list is there when each of its values is. */
function isThere(type: string, ours: Json, theirs: Json): boolean {
  const there = Array.isArray(theirs) ? theirs : [theirs];
  return [ours].flat().every((value) => there.some((read) => read !== null && sameValue(type, value, read)));
}
