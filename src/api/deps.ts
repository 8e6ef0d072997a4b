import type { FastifyBaseLogger } from 'fastify';
import type { BatchRejection, BatchView } from '../domain/batches.ts';
import type { Clock } from '../domain/clock.ts';
import type { Conflict } from '../domain/conflicts.ts';
import type { Company, Contact } from '../domain/entities.ts';
import type { ChangesService } from '../services/changes.ts';
import type { DeadLettersService } from '../services/dead-letters.ts';
import type { HealthService } from '../services/health.ts';
import type {
  BatchReceipt,
  CompanyInput,
  ContactInput,
  Synced,
  WriteOptions,
  Written,
} from '../services/inputs.ts';
import type { Page } from '../services/ports.ts';
import type { RecordsService } from '../services/records.ts';
import type { SyncService } from '../services/sync.ts';
import type { AccessRules } from './auth.ts';
import type { HttpMetrics } from './hooks.ts';
import type { IdempotencyStore } from './idempotency-gate.ts';
import type { MetricsText } from './operations.ts';
import type { Definitions } from './routes/objects.ts';
import type { WebhookDeps } from './webhooks.ts';

/** A thing, and the ids of those that were merged into it. */
interface Found<T> extends Synced<T> {
  readonly mergedFrom: readonly string[];
}

interface ListQuery {
  readonly externalId?: string;
  /** Continue after this id. */
  readonly after?: string;
  readonly limit: number;
}

export interface ContactsApi {
  get(id: string): Promise<Found<Contact>>;
  list(query: ListQuery & { readonly email?: string }): Promise<Page<Synced<Contact>, string>>;
  upsert(input: ContactInput, options: WriteOptions): Promise<Written<Contact>>;
  /**
   * @param rejected what the request's own checks have found
   * @returns those, and what the workspace's schema refuses
   */
  batch(
    items: readonly { readonly index: number; readonly input: ContactInput }[],
    rejected: readonly BatchRejection[],
  ): Promise<BatchReceipt>;
  remove(
    id: string,
    options: WriteOptions & { readonly attio: 'keep' | 'delete'; readonly erase: boolean },
  ): Promise<Written<Contact>>;
}

export interface CompaniesApi {
  get(id: string): Promise<Found<Company>>;
  list(query: ListQuery & { readonly domain?: string }): Promise<Page<Synced<Company>, string>>;
  upsert(input: CompanyInput, options: WriteOptions): Promise<Written<Company>>;
}

export interface BatchesApi {
  get(id: string): Promise<BatchView>;
}

export interface ConflictsApi {
  list(query: {
    readonly status: Conflict['status'] | null;
    readonly after: number;
    readonly limit: number;
  }): Promise<Page<Conflict, number>>;
}

/** All that the HTTP side needs; `app.ts` hands it over. */
export interface HttpDeps {
  /** Of this service, for the API's description. */
  readonly version: string;
  readonly logger: FastifyBaseLogger;
  /** Makes a request's id when the caller brings none. */
  readonly newId: () => string;
  /** Aborted when the service is on its way down: long waits end, new requests are turned away. */
  readonly draining: AbortSignal;
  readonly access: AccessRules;
  readonly metrics: HttpMetrics & MetricsText;
  readonly services: {
    readonly contacts: ContactsApi;
    readonly companies: CompaniesApi;
    readonly batches: BatchesApi;
    readonly conflicts: ConflictsApi;
    readonly records: Pick<RecordsService, 'get' | 'query'>;
    readonly schema: Definitions;
    readonly sync: Pick<SyncService, 'start' | 'wait' | 'get' | 'list' | 'cancel'>;
    readonly changes: Pick<ChangesService, 'read'>;
    readonly deadLetters: Pick<DeadLettersService, 'list' | 'replay' | 'replayAll'>;
    readonly health: Pick<HealthService, 'report' | 'ready'>;
  };
  /** Requests that must not be done twice. */
  readonly idempotency: { readonly store: IdempotencyStore; readonly clock: Clock };
  readonly webhooks: WebhookDeps;
}
