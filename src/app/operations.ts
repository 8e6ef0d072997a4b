import { randomUUID } from 'node:crypto';
import { CachedSchema } from '../attio/cached-schema.ts';
import { AttioClient } from '../attio/client.ts';
import { silentObserver } from '../attio/observer.ts';
import { automations } from '../automations.ts';
import { pingRedis } from '../cache/redis-ping.ts';
import { SchemaCache } from '../cache/schema-cache.ts';
import type { AppConfig } from '../config.ts';
import type { DatabaseState } from '../domain/storage.ts';
import { systemClock } from '../queue/clock.ts';
import { AwaitedStages } from '../services/automations/awaited.ts';
import { endpointOf } from '../services/change-webhooks/message.ts';
import { ChoicesService } from '../services/choices.ts';
import { DoctorService } from '../services/doctor.ts';
import { ListsService } from '../services/lists.ts';
import { type SecretNotes, WebhookRegistration } from '../services/webhook-registration.ts';
import { ChangeWebhooksStore } from '../store/change-webhooks.ts';
import { type Database, migrate, openDatabase } from '../store/database.ts';
import { inspectDatabase } from '../store/inspection.ts';
import { WebhookTrustStore } from '../store/webhook-trust.ts';
import type { Overrides } from './base.ts';
import { buildSender } from './change-webhooks.ts';

/** What operators' commands need beside the service's own routes. Connects to nothing before it is asked. */
export interface Operations {
  /** @param bad names of variables that are wrong: what needs them is not looked at */
  doctor(bad: ReadonlySet<string>): DoctorService;
  registration(notes: SecretNotes | null): WebhookRegistration;
  inspectDatabase(): Promise<DatabaseState>;
  /** Makes the database and brings it up to date. @returns the migrations that were done @throws an error with a code */
  migrate(): Promise<readonly string[]>;
  /** Of a database that is up to date. */
  trust(): WebhookTrustStore;
  close(): Promise<void>;
}

export function buildOperations(config: AppConfig, overrides: Overrides = {}): Operations {
  const clock = overrides.clock ?? systemClock();
  const newId = overrides.newId ?? randomUUID;
  const random = overrides.random ?? Math.random;
  const { redis } = config;
  const client = new AttioClient({
    fetch: overrides.fetch ?? ((url, init) => fetch(url, init)),
    clock,
    random,
    observer: silentObserver,
    settings: config.attio,
  });
  const sender = buildSender(config);
  let opened: Database | null = null;
  const database = () => {
    opened ??= openDatabase(config.database.url, config.database);
    return opened;
  };
  const operations: Operations = {
    doctor(bad) {
      const canAsk = !bad.has('ATTIO_API_KEY') && !bad.has('ATTIO_BASE_URL');
      const canStore = !bad.has('DATABASE_URL');
      return new DoctorService({
        database: canStore
          ? { inspect: operations.inspectDatabase, prepare: operations.migrate, trust }
          : null,
        pingRedis: redis === null ? null : () => pingRedis(redis.url),
        attio: canAsk ? attioSubject() : null,
        changeWebhooks: bad.has('CHANGE_WEBHOOK_URLS') ? null : changeWebhookSubject(),
        webhook:
          canAsk && !bad.has('PUBLIC_URL') && !bad.has('ATTIO_WEBHOOK_SECRET') ? webhookSubject() : null,
      });
    },
    registration: (notes) => new WebhookRegistration({ webhooks: client.webhooks, notes, clock, newId }),
    inspectDatabase: () => inspectDatabase(config.database.url, config.database),
    migrate: () => migrate(database()),
    trust: () => new WebhookTrustStore(database()),
    async close() {
      client.close();
      sender.close();
      await opened?.destroy();
    },
  };
  const trust = async () => {
    const store = operations.trust();
    return { hashes: await store.secretHashes(), ...(await store.signatures()) };
  };
  const now = () => clock.now();
  const schema = new CachedSchema({
    ...client,
    cache: new SchemaCache({ ttlMs: config.cache.schemaTtlSeconds * 1000, now, random, onRead() {} }),
    kept: { remember: async () => {}, recall: async () => null },
    now,
  });
  const choices = new ChoicesService({ schema, clock });
  const attioSubject = () => ({
    client,
    clock,
    objects: config.sync.objects,
    lists: config.sync.lists ?? [],
    rules: config.conflicts,
    awaited: (overrides.automations ?? automations(config.automations)).flatMap(({ name, stages }) =>
      stages.map((stage) => ({ ...stage, automation: name })),
    ),
    stages: new AwaitedStages({
      lists: new ListsService({ schema, clock, mirrored: config.sync.lists }),
      choices,
    }),
    mappings: config.mapping,
    choices,
    externalIdAttribute: config.sync.objects.includes('deals') ? config.deals.externalIdAttribute : null,
  });
  const changeWebhookSubject = () => ({
    endpoints: config.changeWebhooks.urls.map(endpointOf),
    probe: (url: URL) => sender.probe(url),
    known: () => new ChangeWebhooksStore(database()).list(),
  });
  const webhookSubject = () => ({
    registration: operations.registration(null),
    target: webhookTarget(config.http.publicUrl),
    secrets: config.webhooks.secrets,
  });
  return operations;
}

/** Where Attio is to deliver. @param publicUrl without a slash at its end */
export function webhookTarget(publicUrl: string): string;
export function webhookTarget(publicUrl: string | null): string | null;
export function webhookTarget(publicUrl: string | null): string | null {
  return publicUrl === null ? null : `${publicUrl}/webhooks`;
}
