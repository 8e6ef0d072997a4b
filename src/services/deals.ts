import type { Clock } from '../domain/clock.ts';
import type { Deal, DealFacts, EntityRow, StageTotal } from '../domain/entities.ts';
import { headOf } from './contacts.ts';
import { invalidMembers, ServiceError } from './errors.ts';
import type { DealChange, DealInput, Synced, WriteOptions, Written } from './inputs.ts';
import type { MembersService } from './members.ts';
import { faultOfDealKey } from './outbox/deal-key.ts';
import { dealChangeDraft, dealDraft } from './outbox/intents.ts';
import type { OutboxWriter } from './outbox/writer.ts';
import type { Page } from './ports.ts';
import type { SchemaService } from './schema.ts';
import type { Mapping } from './sync/mapping.ts';
import { type ListQuery, Things, type ThingsDeps } from './things.ts';

/** How long a caller waits for a second look at the schema. */
const SCHEMA_WAIT_MS = 1_000;

/**
 * Deals. Attio has no natural key for them: the internal systems' id is kept in a unique attribute of the workspace's
 * own, and finds them again. Those that were made in Attio have none, and are found by their record ids alone.
 */
export class DealsService extends Things<Deal> {
  readonly #deps: DealsDeps;

  constructor(deps: DealsDeps) {
    super('deals', 'deal', deps, (row) => toDeal(row, deps.members.knownEmails()));
    this.#deps = deps;
  }

  /** @param query.externalId as it is */
  async list({ externalId, ...query }: ListQuery): Promise<Page<Synced<Deal>, string>> {
    return this.page(query, externalId);
  }

  /**
   * Makes the deal with an external id, or changes the one that has it. The local database first, then Attio.
   * @throws ServiceError `invalid`; `refused` (by Attio, for an unknown stage or owner, or because the workspace lacks
   *   the attribute for the external id); `unavailable`
   */
  async upsert(input: DealInput, options: WriteOptions): Promise<Written<Deal>> {
    const { writer, mapping } = this.#deps;
    const keySlug = mapping.keySlugs.deals;
    if (Object.hasOwn(input.attributes ?? {}, keySlug)) throw hasItsPlace(keySlug);
    const fault = await this.#faultOfKey();
    if (fault !== null) throw new ServiceError('refused', fault);
    const given = new Set(Object.keys(input.attributes ?? {}));
    return this.written(await writer.write({ draft: dealDraft(mapping, input), given }, options));
  }

  /**
   * Changes a deal that is known, wherever it was made.
   * @param id ours or the Attio record id
   * @throws ServiceError `not_found`, `gone`, `invalid`, `refused`, `unavailable`
   */
  async update(id: string, change: DealChange, options: WriteOptions): Promise<Written<Deal>> {
    const { writer, mapping } = this.#deps;
    const keySlug = mapping.keySlugs.deals;
    const { attributes = {} } = change;
    if (Object.hasOwn(attributes, keySlug)) throw cannotChange(keySlug);
    const row = await this.living(id);
    // Attio may have what is to be made first without our having heard of it: then its key finds it.
    const key = row.recordId === null ? (row.keys[0] ?? null) : null;
    const draft = dealChangeDraft(mapping, row.id, key, change);
    const given = new Set(Object.keys(attributes));
    return this.written(await writer.write({ draft, given }, options));
  }

  /** How many deals are in each stage, and what they are worth; stages without deals are left out. Never asks Attio. */
  async stageTotals(): Promise<StageTotal[]> {
    return this.#deps.entities.stageTotals(this.kind);
  }

  /**
   * @param stage title or id, as it is
   * @param after continue after this id
   */
  async listByStage(stage: string, after: string | null, limit: number): Promise<Page<Synced<Deal>, string>> {
    const rows = await this.#deps.entities.listByStage(this.kind, stage, after ?? '', limit + 1);
    return this.pageOf(rows, limit);
  }

  async #faultOfKey(): Promise<string | null> {
    const { writer, schema, clock, mapping } = this.#deps;
    const keySlug = mapping.keySlugs.deals;
    const attributes = await writer.attributesOf(this.kind);
    if (attributes === null || faultOfDealKey(attributes, keySlug) === null) return null;
    // It may have been made just now.
    const anew = schema.attributesAnew(this.kind).catch(() => attributes);
    const known = await Promise.race([anew, clock.sleep(SCHEMA_WAIT_MS).then(() => attributes)]);
    return faultOfDealKey(known, keySlug);
  }
}

export interface DealsDeps extends ThingsDeps {
  readonly writer: OutboxWriter;
  readonly members: Pick<MembersService, 'knownEmails'>;
  readonly schema: Pick<SchemaService, 'attributesAnew'>;
  readonly clock: Clock;
  readonly mapping: Mapping;
}

function hasItsPlace(slug: string): ServiceError {
  const message = 'has its own place beside attributes: send it as externalId';
  return invalidMembers([{ path: `/attributes/${slug}`, message }]);
}

function cannotChange(slug: string): ServiceError {
  const message = 'is what finds the deal: PUT /v1/deals gives it, and it stays as it is';
  return invalidMembers([{ path: `/attributes/${slug}`, message }]);
}

function toDeal(row: EntityRow, emails: ReadonlyMap<string, string>): Deal {
  const facts = row.facts as DealFacts; // rows of kind `deals` hold these
  const ownerEmail = facts.ownerId === null ? null : (emails.get(facts.ownerId.toLowerCase()) ?? null);
  return { ...headOf(row), ...facts, ownerEmail };
}
