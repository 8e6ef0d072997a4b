import type {
  Company,
  CompanyFacts,
  Contact,
  ContactFacts,
  EntityHead,
  EntityKind,
  EntityRow,
} from '../domain/entities.ts';
import { ServiceError } from './errors.ts';
import type { EntityStore, Page } from './ports.ts';

/** A thing, and the ids of those that were merged into it. */
export interface Found<T> {
  readonly thing: T;
  readonly mergedFrom: readonly string[];
}

interface ListQuery {
  readonly externalId?: string;
  /** Continue after this id. */
  readonly after?: string;
  readonly limit: number;
}

/** How many merges a chain may have: a longer one is a loop. */
const MAX_MERGE_STEPS = 100;

/** Reads things of one kind from the local database; never asks Attio. */
class EntityReader<T> {
  readonly #kind: EntityKind;
  readonly #noun: string;
  readonly #entities: EntityStore;
  readonly #shape: (row: EntityRow) => T;

  constructor(kind: EntityKind, noun: string, entities: EntityStore, shape: (row: EntityRow) => T) {
    this.#kind = kind;
    this.#noun = noun;
    this.#entities = entities;
    this.#shape = shape;
  }

  /**
   * @param id ours or the Attio record id; one that was merged away finds the survivor
   * @throws ServiceError `not_found`, or `gone` for a deleted one
   */
  async get(id: string): Promise<Found<T>> {
    let row = await this.#entities.find(this.#kind, id);
    for (let step = 0; row?.mergedInto != null && step < MAX_MERGE_STEPS; step += 1) {
      row = await this.#entities.find(this.#kind, row.mergedInto);
    }
    if (row === undefined) throw new ServiceError('not_found', `there is no ${this.#noun} with this id`);
    if (row.deletedAt !== null) {
      throw new ServiceError('gone', `this ${this.#noun} was deleted at ${row.deletedAt}`);
    }
    return { thing: this.#shape(row), mergedFrom: await this.#entities.mergedFrom(this.#kind, row.id) };
  }

  protected async page(query: ListQuery, key: string | undefined): Promise<Page<T, string>> {
    if (key !== undefined) return this.#matching(await this.#entities.findByKey(this.#kind, key), query);
    if (query.externalId !== undefined) {
      const row = await this.#entities.findByExternalId(this.#kind, query.externalId);
      return this.#matching(row === undefined ? [] : [row], query);
    }
    const rows = await this.#entities.list(this.#kind, query.after ?? '', query.limit + 1);
    const page = rows.slice(0, query.limit);
    return {
      rows: page.map(this.#shape),
      next: rows.length > query.limit ? (page.at(-1)?.id ?? null) : null,
    };
  }

  /** What a key or an external id finds is at most a handful: one page. */
  #matching(rows: readonly EntityRow[], query: ListQuery): Page<T, string> {
    const live = rows.filter(
      (row) =>
        row.deletedAt === null && (query.externalId === undefined || row.externalId === query.externalId),
    );
    return { rows: live.slice(0, query.limit).map(this.#shape), next: null };
  }
}

/** People, as contacts of the internal systems. */
export class ContactsService extends EntityReader<Contact> {
  constructor(deps: { entities: EntityStore }) {
    super('people', 'contact', deps.entities, toContact);
  }

  /** @param query.email any of the person's addresses, in any case */
  async list(query: ListQuery & { readonly email?: string }): Promise<Page<Contact, string>> {
    return this.page(query, query.email?.toLowerCase());
  }
}

export class CompaniesService extends EntityReader<Company> {
  constructor(deps: { entities: EntityStore }) {
    super('companies', 'company', deps.entities, toCompany);
  }

  /** @param query.domain any of the company's domains, in any case */
  async list(query: ListQuery & { readonly domain?: string }): Promise<Page<Company, string>> {
    return this.page(query, query.domain?.toLowerCase());
  }
}

function head(row: EntityRow): EntityHead {
  const { id, recordId, externalId, webUrl, version, createdAt, updatedAt, deletedAt } = row;
  return { id, recordId, externalId, webUrl, version, createdAt, updatedAt, deletedAt };
}

function toContact(row: EntityRow): Contact {
  const facts = row.facts as ContactFacts; // rows of kind `people` hold these
  return { ...head(row), ...facts, email: facts.emails[0] ?? null };
}

function toCompany(row: EntityRow): Company {
  const facts = row.facts as CompanyFacts; // rows of kind `companies` hold these
  return { ...head(row), ...facts, domain: facts.domains[0] ?? null };
}
