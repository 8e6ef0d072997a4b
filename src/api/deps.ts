import type { FastifyBaseLogger } from 'fastify';
import type { Clock } from '../domain/clock.ts';
import type { Mappings } from '../domain/mapping.ts';
import type { ActivityService } from '../services/activity.ts';
import type { ChangePusher } from '../services/change-webhooks/pusher.ts';
import type { ChangesService } from '../services/changes.ts';
import type { ConflictsService } from '../services/conflicts.ts';
import type { BatchesService, CompaniesService, ContactsService } from '../services/contacts.ts';
import type { DeadLettersService } from '../services/dead-letters.ts';
import type { DealsService } from '../services/deals.ts';
import type { HealthService } from '../services/health.ts';
import type { PipelineService } from '../services/pipeline.ts';
import type { RecordsService } from '../services/records.ts';
import type { SyncService } from '../services/sync.ts';
import type { AccessRules } from './auth.ts';
import type { HttpMetrics } from './hooks.ts';
import type { IdempotencyStore } from './idempotency-gate.ts';
import type { MetricsText } from './operations.ts';
import type { Definitions } from './routes/objects.ts';
import type { WebhookDeps } from './webhooks.ts';

export type ContactsApi = Pick<ContactsService, 'get' | 'list' | 'upsert' | 'batch' | 'remove' | 'restore'>;
export type CompaniesApi = Pick<CompaniesService, 'get' | 'list' | 'upsert' | 'restore'>;
export type DealsApi = Pick<DealsService, 'get' | 'list' | 'upsert' | 'update'>;
export type PipelinesApi = Pick<
  PipelineService,
  'addEntry' | 'updateEntry' | 'entry' | 'entries' | 'overview'
>;
export type ActivityApi = Pick<
  ActivityService,
  | 'addNote'
  | 'note'
  | 'notes'
  | 'addTask'
  | 'updateTask'
  | 'task'
  | 'tasks'
  | 'addComment'
  | 'comment'
  | 'comments'
>;
export type BatchesApi = Pick<BatchesService, 'get'>;
export type ConflictsApi = Pick<ConflictsService, 'list' | 'get' | 'resolve'>;

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
    readonly deals: DealsApi;
    readonly pipelines: PipelinesApi;
    readonly activity: ActivityApi;
    readonly batches: BatchesApi;
    readonly conflicts: ConflictsApi;
    readonly records: Pick<RecordsService, 'get' | 'query'>;
    readonly schema: Definitions;
    readonly sync: Pick<SyncService, 'start' | 'wait' | 'get' | 'list' | 'cancel'>;
    readonly changes: Pick<ChangesService, 'read'>;
    readonly changeWebhooks: Pick<ChangePusher, 'list' | 'enable'>;
    readonly deadLetters: Pick<DeadLettersService, 'list' | 'replay' | 'replayAll'>;
    readonly health: Pick<HealthService, 'report' | 'ready'>;
  };
  /** Which fields there are, and which attributes they are. */
  readonly mapping: Mappings;
  /** Requests that must not be done twice. */
  readonly idempotency: { readonly store: IdempotencyStore; readonly clock: Clock };
  readonly webhooks: WebhookDeps;
}
