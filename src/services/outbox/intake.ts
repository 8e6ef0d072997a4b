import type { Clock } from '../../domain/clock.ts';
import type { EntityKind, EntityRow } from '../../domain/entities.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { entityReference, type NewOutboxRow, type WriteBase, type WriteIntent } from '../../domain/outbox.ts';
import { ServiceError } from '../errors.ts';
import type { Stores, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import { entityFacts, keysOf } from '../sync/mapping.ts';
import { overlay } from '../sync/overlay.ts';
import { sameFacts } from '../sync/project.ts';
import { plainField, slugOf } from './fields.ts';
import { asksKeyAlone, type Draft } from './intents.ts';
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
 * one transaction. A company that a contact names by a domain that is not known here is made first.
 */
export class OutboxIntake {
  readonly #store: UnitOfWork;
  readonly #schema: Pick<SchemaService, 'knownAttributes'>;
  readonly #waiters: Waiters;
  readonly #clock: Clock;
  readonly #newId: () => string;

  constructor(deps: {
    store: UnitOfWork;
    schema: Pick<SchemaService, 'knownAttributes'>;
    waiters: Waiters;
    clock: Clock;
    newId: () => string;
  }) {
    this.#store = deps.store;
    this.#schema = deps.schema;
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

  async #take(stores: Stores, { draft, batch }: Acceptance, at: string): Promise<Accepted> {
    const [existing] = await stores.entities.findByKey(draft.kind, draft.key);
    const taken = await freeExternalId(stores, draft, existing);
    if (taken !== null) return { refused: taken };
    const company =
      draft.companyDomain === null ? null : await this.#company(stores, draft.companyDomain, at);
    const intent: WriteIntent =
      company === null ? draft.intent : { ...draft.intent, company: company.reference };
    const entity = await this.#change(stores, draft, intent, existing, at);
    if (entity.recordId !== null && asksKeyAlone(draft.kind, draft.key, intent)) {
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
      afterId: company?.afterId ?? null,
      batch,
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
      facts: entityFacts(kind, {}, {}),
      keys: [],
      version: 0,
      createdAt: at,
      updatedAt: at,
      deletedAt: null,
      mergedInto: null,
      syncFailure: null,
    };
    const before = existing ?? blank;
    const facts = overlay(kind, before.facts, [intent]);
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

  /** A reference to a company by its domain, and the write that makes it when there is none. */
  async #company(
    stores: Stores,
    domain: string,
    at: string,
  ): Promise<{ reference: JsonObject; afterId: number | null }> {
    const [known] = await stores.entities.findByKey('companies', domain);
    if (known?.recordId != null) {
      return {
        reference: { ...entityReference('companies', known.id), recordId: known.recordId },
        afterId: null,
      };
    }
    const underWay =
      known === undefined
        ? []
        : ((await stores.outbox.pendingOf('companies', [known.id])).get(known.id) ?? []);
    const last = underWay.at(-1);
    if (known !== undefined && last !== undefined) {
      return { reference: entityReference('companies', known.id), afterId: last.id };
    }
    const draft: Draft = {
      kind: 'companies',
      key: domain,
      intent: { domains: [domain] },
      externalId: undefined,
      companyDomain: null,
    };
    const made = await this.#take(stores, { draft, batch: null, expected: false }, at);
    if ('refused' in made) throw made.refused; // a draft without an external id is never refused
    return { reference: entityReference('companies', made.entityId), afterId: made.outboxId };
  }
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
