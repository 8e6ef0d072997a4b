import type { BatchRejection, BatchView } from '../domain/batches.ts';
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
import type { BatchReceipt, CompanyInput, ContactInput, Synced, WriteOptions, Written } from './inputs.ts';
import { companyDraft, contactDraft } from './outbox/intents.ts';
import type { RemovalOptions, RemovalService } from './outbox/removal.ts';
import type { RestoreService } from './outbox/restoring.ts';
import type { OutboxWriter, Progress } from './outbox/writer.ts';
import type { BatchStore, Page } from './ports.ts';
import type { Mapping } from './sync/mapping.ts';
import { type ListQuery, Things, type ThingsDeps } from './things.ts';

/** People, as contacts of the internal systems. */
export class ContactsService extends Things<Contact> {
  readonly #writer: OutboxWriter;
  readonly #mapping: Mapping;
  readonly #removal: RemovalService;
  readonly #restoring: RestoreService;

  constructor(
    deps: ThingsDeps & {
      writer: OutboxWriter;
      mapping: Mapping;
      removal: RemovalService;
      restoring: RestoreService;
    },
  ) {
    super('people', 'contact', deps, toContact);
    this.#writer = deps.writer;
    this.#mapping = deps.mapping;
    this.#removal = deps.removal;
    this.#restoring = deps.restoring;
  }

  /** @param query.email any of the person's addresses, in any case */
  async list(query: ListQuery & { readonly email?: string }): Promise<Page<Synced<Contact>, string>> {
    return this.page(query, query.email?.toLowerCase());
  }

  /**
   * Makes the contact with an e-mail address, or changes the one that has it. The local database first, then Attio.
   * @throws ServiceError `invalid`, `conflict`, `refused` (by Attio), `unavailable`
   */
  async upsert(input: ContactInput, options: WriteOptions): Promise<Written<Contact>> {
    return this.written(
      await this.#writer.write({ draft: contactDraft(this.#mapping, input), given: givenIn(input) }, options),
    );
  }

  /**
   * Takes many at once, in order; none is waited for.
   * @param rejected items that were wrong in themselves
   * @param requestKey the same request finds its batch again; null: it has no key
   * @throws ServiceError `invalid` when none can be taken; `unavailable`
   */
  async batch(
    items: readonly { readonly index: number; readonly input: ContactInput }[],
    rejected: readonly BatchRejection[],
    requestKey: string | null,
  ): Promise<BatchReceipt> {
    const requests = items.map(({ index, input }) => {
      return { index, draft: contactDraft(this.#mapping, input), given: givenIn(input) };
    });
    return this.#writer.writeAll(requests, rejected, requestKey);
  }

  /** Removes a contact here, and in Attio when asked to. @throws ServiceError `not_found`, `gone`, `refused` */
  async remove(id: string, options: RemovalOptions & WriteOptions): Promise<Written<Contact>> {
    const { entity, outboxId } = await this.#removal.remove(this.kind, id, this.noun, options);
    if (outboxId !== null) await this.#writer.follow(this.kind, outboxId, options);
    return this.synced(entity);
  }

  /** Brings back a deleted contact, here and in Attio. @throws ServiceError `not_found`, `gone`, `conflict`, `refused` */
  async restore(id: string, options: WriteOptions): Promise<Written<Contact>> {
    return this.written(await restored(this.#restoring, this.#writer, this.kind, this.noun, id, options));
  }
}

export class CompaniesService extends Things<Company> {
  readonly #writer: OutboxWriter;
  readonly #mapping: Mapping;
  readonly #restoring: RestoreService;

  constructor(deps: ThingsDeps & { writer: OutboxWriter; mapping: Mapping; restoring: RestoreService }) {
    super('companies', 'company', deps, toCompany);
    this.#writer = deps.writer;
    this.#mapping = deps.mapping;
    this.#restoring = deps.restoring;
  }

  /** @param query.domain any of the company's domains, in any case */
  async list(query: ListQuery & { readonly domain?: string }): Promise<Page<Synced<Company>, string>> {
    return this.page(query, query.domain?.toLowerCase());
  }

  /** As for contacts, by a domain. @throws ServiceError `invalid`, `conflict`, `refused`, `unavailable` */
  async upsert(input: CompanyInput, options: WriteOptions): Promise<Written<Company>> {
    return this.written(
      await this.#writer.write({ draft: companyDraft(this.#mapping, input), given: givenIn(input) }, options),
    );
  }

  /** As for contacts. @throws ServiceError `not_found`, `gone`, `conflict`, `refused` */
  async restore(id: string, options: WriteOptions): Promise<Written<Company>> {
    return this.written(await restored(this.#restoring, this.#writer, this.kind, this.noun, id, options));
  }
}

async function restored(
  restoring: RestoreService,
  writer: OutboxWriter,
  kind: EntityKind,
  noun: string,
  id: string,
  options: WriteOptions,
): Promise<Progress> {
  await writer.makeRoom(1);
  const { entityId, outboxId } = await restoring.restore(kind, id, noun, options);
  const done = outboxId === null ? null : await writer.follow(kind, outboxId, options);
  return done === null ? { entityId, isDone: false, held: 0 } : { ...done, isDone: true };
}

/** What became of batches. */
export class BatchesService {
  readonly #batches: BatchStore;

  constructor(deps: { batches: BatchStore }) {
    this.#batches = deps.batches;
  }

  /** @throws ServiceError `not_found` */
  async get(id: string): Promise<BatchView> {
    const view = await this.#batches.view(id);
    if (view === undefined) throw new ServiceError('not_found', 'there is no batch with this id');
    return view;
  }
}

function givenIn(input: Pick<ContactInput, 'attributes'>): ReadonlySet<string> {
  return new Set(Object.keys(input.attributes ?? {}));
}

/** What every thing has. */
export function headOf(row: EntityRow): EntityHead {
  const { id, recordId, externalId, webUrl, version, createdAt, updatedAt, deletedAt } = row;
  return { id, recordId, externalId, webUrl, version, createdAt, updatedAt, deletedAt };
}

function toContact(row: EntityRow): Contact {
  const facts = row.facts as ContactFacts; // rows of kind `people` hold these
  return { ...headOf(row), ...facts, email: facts.emails[0] ?? null };
}

function toCompany(row: EntityRow): Company {
  const facts = row.facts as CompanyFacts; // rows of kind `companies` hold these
  return { ...headOf(row), ...facts, domain: facts.domains[0] ?? null };
}
