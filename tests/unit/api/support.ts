import type { FastifyInstance } from 'fastify';
import type { HttpDeps } from '../../../src/api/deps.ts';
import type { IdempotencyStore } from '../../../src/api/idempotency-gate.ts';
import { createHttpServer } from '../../../src/api/server.ts';
import type { Rejection } from '../../../src/api/webhooks.ts';
import type { Company, Contact } from '../../../src/domain/entities.ts';
import type { KnownRequest, StoredReply } from '../../../src/domain/idempotency.ts';
import { DEFAULT_MAPPINGS } from '../../../src/domain/mapping.ts';
import { NO_COUNTS, type SyncRun } from '../../../src/domain/sync-runs.ts';
import type { SyncState } from '../../../src/domain/sync-state.ts';
import { createLogger } from '../../../src/monitoring/logger.ts';
import { systemClock } from '../../../src/queue/clock.ts';

export const ID = 'bf071e1f-6035-429d-b874-d83ea64ea13b';
export const KEY = 'service-key';
export const AUTHORIZED = { authorization: `Bearer ${KEY}` };

export const CONTACT: Contact = {
  id: ID,
  email: 'ada@example.com',
  emails: ['ada@example.com', 'a@example.org'],
  firstName: 'Ada',
  lastName: 'Lovelace',
  phone: null,
  jobTitle: 'Analyst',
  companyRecordId: null,
  externalId: null,
  attributes: { tags: ['a', 'b'], score: 7 },
  recordId: ID,
  webUrl: null,
  version: 3,
  createdAt: '2026-01-01T09:30:00.000Z',
  updatedAt: '2026-01-02T09:30:00.000Z',
  deletedAt: null,
};

export const COMPANY: Company = {
  id: ID,
  domain: 'example.com',
  domains: ['example.com'],
  name: 'Example',
  externalId: null,
  attributes: {},
  recordId: ID,
  webUrl: null,
  version: 1,
  createdAt: '2026-01-01T09:30:00.000Z',
  updatedAt: '2026-01-01T09:30:00.000Z',
  deletedAt: null,
};

export const SYNCED: SyncState = { status: 'synced', recordId: ID };

export const RUN: SyncRun = {
  ...NO_COUNTS,
  runId: 'run-1',
  object: 'people',
  status: 'succeeded',
  startedAt: '2026-01-01T09:30:00.000Z',
  finishedAt: '2026-01-01T09:31:00.000Z',
  pages: 2,
  seen: 700,
  created: 700,
  error: null,
  force: false,
  parentRunId: null,
};

export type Services = HttpDeps['services'];
type PartialServices = { [K in keyof Services]?: Partial<Services[K]> };

export interface Overrides {
  readonly services?: PartialServices;
  readonly access?: Partial<HttpDeps['access']>;
  readonly webhooks?: Partial<HttpDeps['webhooks']>;
  readonly metrics?: Partial<HttpDeps['metrics']>;
  readonly idempotency?: Partial<HttpDeps['idempotency']>;
}

/** Every call of a service that a test does not fake. */
function unexpected(name: string) {
  return (): Promise<never> => Promise.reject(new Error(`unexpected call of ${name}`));
}

function defaults(): Services {
  return {
    contacts: {
      get: unexpected('contacts.get'),
      list: unexpected('contacts.list'),
      upsert: unexpected('contacts.upsert'),
      batch: unexpected('contacts.batch'),
      remove: unexpected('contacts.remove'),
      restore: unexpected('contacts.restore'),
    },
    companies: {
      get: unexpected('companies.get'),
      list: unexpected('companies.list'),
      upsert: unexpected('companies.upsert'),
      restore: unexpected('companies.restore'),
    },
    deals: {
      get: unexpected('deals.get'),
      list: unexpected('deals.list'),
      upsert: unexpected('deals.upsert'),
      update: unexpected('deals.update'),
    },
    pipelines: {
      addEntry: unexpected('pipelines.addEntry'),
      updateEntry: unexpected('pipelines.updateEntry'),
      entry: unexpected('pipelines.entry'),
      entries: unexpected('pipelines.entries'),
      overview: unexpected('pipelines.overview'),
    },
    activity: {
      addNote: unexpected('activity.addNote'),
      note: unexpected('activity.note'),
      notes: unexpected('activity.notes'),
      addTask: unexpected('activity.addTask'),
      updateTask: unexpected('activity.updateTask'),
      task: unexpected('activity.task'),
      tasks: unexpected('activity.tasks'),
      addComment: unexpected('activity.addComment'),
      comment: unexpected('activity.comment'),
      comments: unexpected('activity.comments'),
    },
    batches: { get: unexpected('batches.get') },
    conflicts: {
      list: unexpected('conflicts.list'),
      get: unexpected('conflicts.get'),
      resolve: unexpected('conflicts.resolve'),
    },
    records: { get: unexpected('records.get'), query: unexpected('records.query') },
    schema: { objects: unexpected('schema.objects'), attributes: unexpected('schema.attributes') },
    sync: {
      start: unexpected('sync.start'),
      wait: unexpected('sync.wait'),
      get: unexpected('sync.get'),
      list: unexpected('sync.list'),
      cancel: unexpected('sync.cancel'),
    },
    changes: { read: unexpected('changes.read') },
    changeWebhooks: {
      list: unexpected('changeWebhooks.list'),
      enable: unexpected('changeWebhooks.enable'),
    },
    deadLetters: {
      list: unexpected('deadLetters.list'),
      replay: unexpected('deadLetters.replay'),
      replayAll: unexpected('deadLetters.replayAll'),
    },
    health: { report: unexpected('health.report'), ready: async () => ({ ready: true }) },
  };
}

function merge(services: Services, overrides: PartialServices): Services {
  const names = Object.keys(services) as (keyof Services)[]; // keys of the very object
  const merged = names.map((name) => [name, { ...services[name], ...overrides[name] }]);
  return Object.fromEntries(merged) as Services; // the same keys, each with all of its members
}

/** Remembers keyed requests as the store does, without a database. */
export class MemoryIdempotency implements IdempotencyStore {
  readonly rows = new Map<string, KnownRequest & { readonly at: string }>();

  async begin({ scope, fingerprint, at, keptSince }: Parameters<IdempotencyStore['begin']>[0]) {
    const known = this.rows.get(scope);
    if (known !== undefined && known.at >= keptSince) return known;
    this.rows.set(scope, { fingerprint, reply: null, at });
    return null;
  }

  async finish(scope: string, reply: StoredReply) {
    const known = this.rows.get(scope);
    if (known !== undefined) this.rows.set(scope, { ...known, reply });
  }

  async release(scope: string) {
    this.rows.delete(scope);
  }
}

export interface TestServer {
  readonly app: FastifyInstance;
  readonly log: Record<string, unknown>[];
  readonly draining: AbortController;
  readonly rejections: Rejection[];
  readonly served: { method: string; route: string; status: number; seconds: number }[];
}

/** The HTTP server on fakes: a service that a test has not faked is not called, or the request ends as 500. */
export function createTestServer(overrides: Overrides = {}): TestServer {
  const log: Record<string, unknown>[] = [];
  const rejections: Rejection[] = [];
  const served: TestServer['served'] = [];
  const draining = new AbortController();
  let ids = 0;
  const app = createHttpServer({
    version: '1.2.3',
    logger: createLogger({
      name: 'test',
      level: 'debug',
      destination: { write: (line) => log.push(JSON.parse(line)) },
    }),
    newId: () => {
      ids += 1;
      return `made-${ids}`;
    },
    draining: draining.signal,
    access: { apiKeys: [KEY], trustLoopback: true, protectOperations: false, ...overrides.access },
    metrics: {
      contentType: 'text/plain; version=0.0.4; charset=utf-8',
      text: async () => 'metric 1\n',
      requestServed: (request) => served.push(request),
      ...overrides.metrics,
    },
    services: merge(defaults(), overrides.services ?? {}),
    mapping: DEFAULT_MAPPINGS,
    idempotency: { store: new MemoryIdempotency(), clock: systemClock(), ...overrides.idempotency },
    webhooks: {
      verifier: { configured: true, verify: () => true },
      inbox: { accept: async () => ({ accepted: 1, duplicates: 0, quarantined: 0 }) },
      events: { deliveryRejected: (result) => rejections.push(result) },
      ...overrides.webhooks,
    },
  });
  return { app, log, draining, rejections, served };
}
