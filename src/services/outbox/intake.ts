import type { Clock } from '../../domain/clock.ts';
import { type EntityKind, type EntityRow, keysOf } from '../../domain/entities.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { entityReference, type NewOutboxRow, type WriteBase, type WriteIntent } from '../../domain/outbox.ts';
import { deletedThing, ServiceError, unknownThing } from '../errors.ts';
import { survivorOfThing } from '../living.ts';
import type { Stores, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import type { Mapping } from '../sync/mapping.ts';
import { sameFacts } from '../sync/project.ts';
import type { Repairs } from '../sync/repairs.ts';
import type { Draft, Reference } from './draft.ts';
import { plainField, slugOf } from './fields.ts';
import { asksKeyAlone, bareDraft } from './intents.ts';
import type { Waiters } from './waiters.ts';

export interface Acceptance {
  readonly draft: Draft;
  readonly batch: NewOutboxRow['batch'];
  /** Somebody will wait for it. */
  readonly expected: boolean;
}

export type Accepted =
  | {
      readonly entityId: string;
      /** Null: there is nothing to bring to Attio. */
      readonly outboxId: number | null;
    }
  | { readonly refused: ServiceError };

/**
 * Takes writes: the thing is changed in the local database and what is to be written to Attio stands in the outbox, in
 * one transaction. What it refers to by a domain or an address that is not known here is made first.
 */
export class OutboxIntake {
  readonly #store: UnitOfWork;
  readonly #mapping: Mapping;
  readonly #schema: Pick<SchemaService, 'knownAttributes'>;
  readonly #repairs: Pick<Repairs, 'store'>;
  readonly #waiters: Waiters;
  readonly #clock: Clock;
  readonly #newId: () => string;

  constructor(deps: {
    store: UnitOfWork;
    mapping: Mapping;
    schema: Pick<SchemaService, 'knownAttributes'>;
    repairs: Pick<Repairs, 'store'>;
    waiters: Waiters;
    clock: Clock;
    newId: () => string;
  }) {
    this.#store = deps.store;
    this.#mapping = deps.mapping;
    this.#schema = deps.schema;
    this.#repairs = deps.repairs;
    this.#waiters = deps.waiters;
    this.#clock = deps.clock;
    this.#newId = deps.newId;
  }

  /** All in one commit. One that cannot be taken is refused, and stops none of the others. */
  async accept(items: readonly Acceptance[]): Promise<Accepted[]> {
    const at = new Date(this.#clock.now()).toISOString();
    const accepted = await this.#store.transaction(async (stores) => {
      const results: Accepted[] = [];
      for (const item of items) results.push(await this.#take(stores, item, at));
      return results;
    });
    accepted.forEach((result, index) => {
      if (items[index]?.expected === true && 'outboxId' in result && result.outboxId !== null) {
        this.#waiters.expect(result.outboxId);
      }
    });
    return accepted;
  }

  async #take(stores: Stores, { draft, batch, expected }: Acceptance, at: string): Promise<Accepted> {
    const existing = await existingThing(stores, draft);
    if (existing instanceof ServiceError) return { refused: existing };
    const taken = await freeExternalId(stores, draft, existing);
    if (taken !== null) return { refused: taken };
    const { references, after } = await this.#references(stores, draft.references, expected, at);
    const intent: WriteIntent = { ...draft.intent, ...references };
    if (existing !== undefined) await this.#putRight(stores, existing, intent, at);
    const entity = await this.#change(stores, draft, intent, existing, at);
    if (entity.recordId !== null && asksKeyAlone(draft, intent)) {
      return { entityId: entity.id, outboxId: null };
    }
    const outboxId = await stores.outbox.add({
      operation: 'upsert',
      kind: draft.kind,
      entityId: entity.id,
      key: draft.key,
      intent,
      base: await this.#base(stores, draft.kind, existing, intent),
      externalIdBefore: draft.externalId === undefined ? undefined : (existing?.externalId ?? null),
      acceptedAt: at,
      afterId: after[0] ?? null,
      alsoAfter: after.slice(1),
      batch,
      waitedFor: expected,
    });
    return { entityId: entity.id, outboxId };
  }

  /** The thing, with what is asked for laid over it. */
  async #change(
    stores: Stores,
    draft: Draft,
    intent: WriteIntent,
    existing: EntityRow | undefined,
    at: string,
  ): Promise<EntityRow> {
    const { kind, externalId } = draft;
    const blank: EntityRow = {
      kind,
      id: this.#newId(),
      recordId: null,
      externalId: null,
      webUrl: null,
      facts: this.#mapping.blank(kind),
      keys: [],
      version: 0,
      createdAt: at,
      updatedAt: at,
      deletedAt: null,
      mergedInto: null,
      syncFailure: null,
    };
    const before = existing ?? blank;
    const facts = this.#mapping.overlay(kind, before.facts, [intent]);
    const shown: EntityRow = {
      ...before,
      externalId: externalId === undefined ? before.externalId : externalId,
      facts,
      keys: keysOf(facts),
      syncFailure: null,
    };
    const isSame =
      existing !== undefined && shown.externalId === before.externalId && sameFacts(facts, before.facts);
    const entity = isSame ? shown : { ...shown, version: before.version + 1, updatedAt: at };
    await stores.entities.put([entity]);
    return entity;
  }

  /** Fields that only go out, and that this write does not name: where Attio has something else, ours goes first. */
  async #putRight(stores: Stores, entity: EntityRow, intent: WriteIntent, at: string): Promise<void> {
    const { kind, recordId } = entity;
    if (recordId === null || this.#mapping.kept(kind).length === 0) return;
    const record = (await stores.records.load(kind, [recordId])).get(recordId);
    if (record === undefined || record.deletedAt !== null) return;
    await this.#repairs.store(stores, entity, record.values, at, { but: intent });
  }

  /** What both sides agree on now of the fields to be written, as far as the schema is in memory. */
  async #base(
    stores: Stores,
    kind: EntityKind,
    entity: EntityRow | undefined,
    intent: WriteIntent,
  ): Promise<WriteBase> {
    const attributes = this.#schema.knownAttributes(kind);
    if (entity === undefined || entity.recordId === null || attributes === null) return {};
    const record = (await stores.records.load(kind, [entity.recordId])).get(entity.recordId);
    if (record === undefined || record.deletedAt !== null) return {};
    const base: Record<string, Json> = {};
    for (const field of Object.keys(intent)) {
      const attribute = attributes.get(slugOf(field));
      if (attribute !== undefined) base[field] = plainField(field, attribute, record.values);
    }
    return base;
  }

  /** @returns what the references are written as, by field, and the rows that must be settled first */
  async #references(
    stores: Stores,
    wanted: readonly Reference[],
    expected: boolean,
    at: string,
  ): Promise<{ references: WriteIntent; after: number[] }> {
    const references: Record<string, Json> = {};
    const after = new Set<number>();
    for (const { field, kind, keys, how } of wanted) {
      const values = new Map<string, JsonObject>();
      for (const key of keys) {
        const { entityId, value, afterId } = await this.#reference(stores, { kind, key, expected }, at);
        values.set(entityId, value);
        if (afterId !== null) after.add(afterId);
      }
      const all = [...values.values()];
      references[field] = how === 'set' ? (all[0] ?? null) : how === 'add' ? all : { replace: all };
    }
    return { references, after: [...after] };
  }

  /** A reference to a thing by its key, and the write that makes it when there is none. */
  async #reference(
    stores: Stores,
    { kind, key, expected }: { kind: Reference['kind']; key: string; expected: boolean },
    at: string,
  ): Promise<{ entityId: string; value: JsonObject; afterId: number | null }> {
    const [known] = await stores.entities.findByKey(kind, key);
    if (known?.recordId != null) {
      const value = { ...entityReference(kind, known.id), recordId: known.recordId };
      return { entityId: known.id, value, afterId: null };
    }
    const underWay =
      known === undefined ? [] : ((await stores.outbox.pendingOf(kind, [known.id])).get(known.id) ?? []);
    const last = underWay.at(-1);
    if (known !== undefined && last !== undefined) {
      return { entityId: known.id, value: entityReference(kind, known.id), afterId: last.id };
    }
    const made = await this.#take(
      stores,
      { draft: bareDraft(this.#mapping, kind, key), batch: null, expected },
      at,
    );
    if ('refused' in made) throw made.refused; // a draft without an external id is never refused
    return {
      entityId: made.entityId,
      value: entityReference(kind, made.entityId),
      afterId: made.outboxId,
    };
  }
}

const NOUNS = { people: 'contact', companies: 'company', deals: 'deal' } as const;

/** @returns the thing that the write is for, undefined when it is to be made; or why there is none to write to */
async function existingThing(
  stores: Stores,
  { kind, entityId, key }: Draft,
): Promise<EntityRow | ServiceError | undefined> {
  if (entityId === null) return key === null ? undefined : (await stores.entities.findByKey(kind, key))[0];
  const entity = await survivorOfThing(stores.entities, kind, entityId);
  if (entity === undefined) return unknownThing(NOUNS[kind]);
  return entity.deletedAt === null ? entity : deletedThing(NOUNS[kind], entity.deletedAt);
}

/** External ids are unique among the living. @returns why it cannot be had */
async function freeExternalId(
  stores: Stores,
  { kind, externalId }: Draft,
  existing: EntityRow | undefined,
): Promise<ServiceError | null> {
  if (externalId == null) return null;
  const holder = await stores.entities.findByExternalId(kind, externalId);
  if (holder === undefined || holder.id === existing?.id) return null;
  if (holder.deletedAt === null) {
    return new ServiceError('conflict', `another one has this externalId: ${holder.id}`, {
      path: '/externalId',
    });
  }
  await stores.entities.put([{ ...holder, externalId: null }]);
  return null;
}
