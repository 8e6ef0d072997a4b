/**
 * The composition root: the only code that knows everything. Builds in dependency order, starts, and takes down in
 * reverse. `index.ts` and the tests call the same function.
 */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import manifest from '../package.json' with { type: 'json' };
import { createHttpServer } from './api/server.ts';
import { CachedRecords } from './attio/cached-records.ts';
import { CachedSchema } from './attio/cached-schema.ts';
import { AttioClient } from './attio/client.ts';
import type { FetchLike } from './attio/transport.ts';
import { QueryCache, RecordCache } from './cache/record-cache.ts';
import { SchemaCache } from './cache/schema-cache.ts';
import type { AppConfig } from './config.ts';
import type { Clock } from './domain/clock.ts';
import type { DeadLetter } from './domain/dead-letters.ts';
import type { WebhookEvent } from './domain/webhook-events.ts';
import { Events } from './monitoring/events.ts';
import { createLogger } from './monitoring/logger.ts';
import { createMetrics, type Metrics } from './monitoring/metrics.ts';
import { systemClock } from './queue/clock.ts';
import { GroupCommit } from './queue/group-commit.ts';
import { PacedBatcher } from './queue/paced-batcher.ts';
import { Ticker } from './queue/ticker.ts';
import { ChangesService } from './services/changes.ts';
import { CompaniesService, ContactsService } from './services/contacts.ts';
import { DeadLettersService } from './services/dead-letters.ts';
import { HealthService } from './services/health.ts';
import { RecordsService } from './services/records.ts';
import { SchemaService } from './services/schema.ts';
import { ApplyService } from './services/sync/apply.ts';
import { FullSync } from './services/sync/full-sync.ts';
import { GoneService } from './services/sync/gone.ts';
import { RefreshService } from './services/sync/refresh.ts';
import { AttioRecordSource } from './services/sync/source.ts';
import { SyncService } from './services/sync.ts';
import { WorkspaceGuard } from './services/workspace.ts';
import { type Database, migrate, openDatabase, pingDatabase } from './store/database.ts';
import { DeadLettersStore } from './store/dead-letters.ts';
import { InboxStore } from './store/inbox.ts';
import { dropExpired, type RetentionCutoffs } from './store/retention.ts';
import { MirrorStore } from './store/store.ts';
import { WorkspaceStore } from './store/workspace.ts';
import { BoundedLog } from './webhooks/backlog.ts';
import { registerActivityEvents } from './webhooks/handlers/activity-events.ts';
import { registerEntryEvents } from './webhooks/handlers/entry-events.ts';
import { registerRecordEvents } from './webhooks/handlers/record-events.ts';
import { WebhookIntake } from './webhooks/intake.ts';
import type { Delivery, SettledEvent } from './webhooks/ports.ts';
import { WebhookRouter } from './webhooks/router.ts';
import { SignatureVerifier } from './webhooks/verify.ts';
import { InboxWorker } from './webhooks/worker.ts';

/** What tests replace. */
export interface Overrides {
  readonly fetch?: FetchLike;
  readonly clock?: Clock;
  /** 0 ≤ x < 1 */
  readonly random?: () => number;
  readonly newId?: () => string;
  readonly logger?: Logger;
}

export interface App {
  readonly http: FastifyInstance;
  /** Listens, migrates, and takes up the work that is waiting. @returns the address */
  start(): Promise<string>;
  /** Takes nothing more, finishes or hands back what runs, closes everything. Never rejects. */
  stop(): Promise<void>;
}

/** What every part is built from. */
interface Base {
  readonly config: AppConfig;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly events: Events;
  readonly database: Database;
  readonly store: MirrorStore;
  readonly inbox: InboxStore;
  readonly deadLetters: DeadLettersStore;
}

const VERSION = manifest.version;

/** A probe that takes longer says nothing; health itself answers sooner. */
const PROBE_TIMEOUT_MS = 5_000;

/** How long requests under way may take once we are stopping. */
const HTTP_DRAIN_MS = 4_000;

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** What shares a commit, and what may wait for one. */
const COMMIT = { maxBatch: 500, maxWaiting: 5_000 };

/** @throws when the database cannot be opened */
export function createApp(config: AppConfig, overrides: Overrides = {}): App {
  const base = buildBase(config, overrides);
  const stopped = new AbortController();
  const fetchUntilStopped = endedBy(stopped.signal, overrides.fetch ?? ((url, init) => fetch(url, init)));
  // Built last, told of from the start.
  let worker: InboxWorker | null = null;
  const attio = buildAttio(base, fetchUntilStopped, () => worker?.resume());
  const workspace = new WorkspaceGuard({
    readSelf: async (signal) =>
      (await attio.client.self({ signal, retry: false, priority: 1, timeoutMs: PROBE_TIMEOUT_MS })).data,
    store: new WorkspaceStore(base.database),
    clock: base.clock,
    events: base.events,
    onKnown() {
      worker?.wake();
      // Warm: a request for an object that the workspace lacks then costs no call.
      attio.schema.objects().catch(() => {});
    },
  });
  const mirror = buildMirror(base, attio, workspace);
  const inbox = buildInbox(base, attio, mirror, workspace);
  worker = inbox.worker;
  return assemble(base, { attio, workspace, mirror, inbox, stopped });
}

function buildBase(config: AppConfig, overrides: Overrides): Base {
  const clock = overrides.clock ?? systemClock();
  const logger = overrides.logger ?? createLogger({ name: 'attio-bridge', level: config.logLevel });
  const database = openDatabase(config.database.url);
  const inbox = new InboxStore(database);
  const deadLetters = new DeadLettersStore(database);
  const metrics = createMetrics({
    probe: async () => ({
      inboxPending: (await inbox.stats()).pending,
      outboxPending: 0,
      conflictsOpen: 0,
      deadLetters: await deadLetters.counts(),
    }),
  });
  return {
    config,
    clock,
    random: overrides.random ?? Math.random,
    newId: overrides.newId ?? randomUUID,
    logger,
    metrics,
    events: new Events({ logger, metrics }),
    database,
    store: new MirrorStore(database),
    inbox,
    deadLetters,
  };
}

/** The gateway, and what is read through its caches. */
function buildAttio({ config, clock, random, events }: Base, fetch: FetchLike, onReadsPossible: () => void) {
  const client = new AttioClient({
    fetch,
    clock,
    random,
    observer: {
      requestFinished: (request) => events.requestFinished(request),
      retried: (retry) => events.retried(retry),
      laneWaited: (wait) => events.laneWaited(wait),
      circuitChanged(change) {
        events.circuitChanged(change);
        if (change.lane === 'reads' && change.state === 'closed') onReadsPossible();
      },
    },
    settings: config.attio,
  });
  const cache = { now: () => clock.now(), random, onRead: events.cacheRead.bind(events) };
  const recordCache = { ...cache, ttlMs: config.cache.recordTtlSeconds * 1000 };
  const records = new CachedRecords({
    records: client.records,
    cache: new RecordCache(recordCache),
    queries: new QueryCache(recordCache),
  });
  const schemaCache = new SchemaCache({ ...cache, ttlMs: config.cache.schemaTtlSeconds * 1000 });
  const schema = new SchemaService({
    schema: new CachedSchema({ objects: client.objects, attributes: client.attributes, cache: schemaCache }),
    clock,
  });
  return { client, records, schema };
}

type AttioParts = ReturnType<typeof buildAttio>;

/** What keeps the local database equal to Attio. */
function buildMirror(base: Base, attio: AttioParts, workspace: WorkspaceGuard) {
  const { config, clock, events, store } = base;
  const changes = new ChangesService({ changes: store.changes, clock });
  const onCommitted = (_object: string, recordIds: readonly string[]) => {
    for (const id of recordIds) attio.records.forget(id);
    changes.notify();
  };
  const source = new AttioRecordSource({
    records: attio.client.records,
    onInvalid: (object, issue) => events.recordUnreadable(object, issue),
  });
  const apply = new ApplyService({ store, schema: attio.schema, clock, events, onCommitted });
  const gone = new GoneService({ store, clock, events, onCommitted });
  const sync = new SyncService({
    objects: config.sync.objects,
    runs: store.runs,
    fullSync: new FullSync({ source, apply, gone, store, options: config.sync }),
    clock,
    newId: base.newId,
    events,
    assertMaySync: () => workspace.assertMaySync(),
    outagePatienceMs: config.sync.outagePatienceSeconds * 1000,
  });
  const refresh = new RefreshService({
    objects: config.sync.objects,
    source,
    schema: attio.schema,
    apply,
    gone,
    runs: store.runs,
    clock,
    batcher: (run) =>
      new PacedBatcher({
        run,
        clock,
        intervalMs: config.inbox.coalesceMs,
        maxBatch: config.inbox.batchSize,
        maxWaiting: 2 * config.inbox.window,
      }),
  });
  return { changes, sync, refresh };
}

type MirrorParts = ReturnType<typeof buildMirror>;

/** What takes Attio's webhooks and settles their events. */
function buildInbox(base: Base, attio: AttioParts, mirror: MirrorParts, workspace: WorkspaceGuard) {
  const { config, clock, random, events, inbox } = base;
  const router = new WebhookRouter();
  registerRecordEvents(router, mirror.refresh);
  registerEntryEvents(router);
  registerActivityEvents(router);
  const accepted = new GroupCommit({
    ...COMMIT,
    flush: (deliveries: readonly Delivery[]) =>
      inbox.accept(deliveries, isoAgo(clock, config.retention.deliveryDays * DAY_MS)),
  });
  const settled = new GroupCommit({
    ...COMMIT,
    flush: async (rows: readonly SettledEvent[]) => {
      await inbox.settle(rows, isoAgo(clock, 0));
      return rows.map(() => undefined);
    },
  });
  const worker = new InboxWorker({
    inbox,
    settled,
    router,
    workspace,
    clock,
    random,
    events,
    options: { ...config.inbox, giveUpAfterMs: config.inbox.giveUpAfterHours * HOUR_MS },
  });
  const log = new BoundedLog({
    log: accepted,
    countPending: async () => (await inbox.stats()).pending,
    maxPending: config.inbox.maxPending,
    clock,
  });
  const intake = new WebhookIntake({
    log,
    clock,
    workspace,
    events,
    onAccepted(received) {
      for (const id of received.flatMap(recordIdsOf)) attio.records.forget(id);
      worker.wake();
    },
  });
  return { worker, intake, idle: () => Promise.all([accepted.idle(), settled.idle()]) };
}

type InboxParts = ReturnType<typeof buildInbox>;

interface Parts {
  readonly attio: AttioParts;
  readonly workspace: WorkspaceGuard;
  readonly mirror: MirrorParts;
  readonly inbox: InboxParts;
  /** Aborted last: ends what still waits for Attio. */
  readonly stopped: AbortController;
}

function assemble(base: Base, parts: Parts): App {
  const { config, clock, database } = base;
  const { attio, workspace, mirror, inbox, stopped } = parts;
  const draining = new AbortController();
  const health = new HealthService({
    version: VERSION,
    clock,
    workspace,
    circuit: () => attio.client.circuit.state,
    pingDatabase: () => pingDatabase(database),
    inboxStats: () => base.inbox.stats(),
    deadLetters: () => base.deadLetters.counts(),
    probeEveryMs: config.health.probeEverySeconds * 1000,
  });
  const http = buildHttp(base, parts, health, draining.signal);
  const retention = new Ticker({
    clock,
    everyMs: HOUR_MS,
    task: async (signal) => {
      await dropExpired(database, retentionCutoffs(base), signal);
    },
    onError: (error) => base.events.unexpected('retention', error),
  });
  const stop = async () => {
    health.markDraining();
    draining.abort(new Error('the service is stopping'));
    const forced = setTimeout(() => http.server.closeAllConnections(), HTTP_DRAIN_MS);
    await http.close();
    clearTimeout(forced);
    mirror.refresh.close();
    await Promise.all([retention.stop(), mirror.sync.stop(), inbox.worker.stop()]);
    stopped.abort(new Error('the service has stopped'));
    attio.client.close();
    await inbox.idle();
    await database.destroy();
  };
  return {
    http,
    async start() {
      try {
        const address = await http.listen({ host: config.http.host, port: config.http.port });
        await migrate(database);
        await workspace.load();
        inbox.worker.start();
        await mirror.sync.resumeAll();
        retention.start();
        void workspace.learn(stopped.signal);
        health.markStarted();
        return address;
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
  };
}

/** What the outside sees. */
function buildHttp(base: Base, parts: Parts, health: HealthService, draining: AbortSignal): FastifyInstance {
  const { config, store, inbox: inboxStore, deadLetters, events } = base;
  const { attio, mirror, inbox } = parts;
  const { intake, worker } = inbox;
  const replayInbox = async (letter: DeadLetter) => {
    if (letter.eventId === null) {
      await intake.acceptAgain(letter);
      await deadLetters.remove(Number(letter.id));
    } else {
      await inboxStore.revive(letter.eventId, Number(letter.id), isoAgo(base.clock, 0));
      worker.wakeAll();
    }
  };
  return createHttpServer({
    version: VERSION,
    logger: base.logger.child({ component: 'http' }),
    newId: base.newId,
    draining,
    access: config.http,
    metrics: base.metrics,
    services: {
      contacts: new ContactsService({ entities: store.entities }),
      companies: new CompaniesService({ entities: store.entities }),
      records: new RecordsService({ records: attio.records, schema: attio.schema }),
      schema: attio.schema,
      sync: mirror.sync,
      changes: mirror.changes,
      deadLetters: new DeadLettersService({ letters: deadLetters, replays: { inbox: replayInbox } }),
      health,
    },
    webhooks: { verifier: new SignatureVerifier(config.webhooks.secrets), inbox: intake, events },
  });
}

function retentionCutoffs({ clock, config: { retention } }: Base): RetentionCutoffs {
  return {
    deliveries: isoAgo(clock, retention.deliveryDays * DAY_MS),
    settledEvents: isoAgo(clock, retention.settledEventDays * DAY_MS),
    keptEvents: isoAgo(clock, retention.changeDays * DAY_MS),
    changes: isoAgo(clock, retention.changeDays * DAY_MS),
    runs: isoAgo(clock, retention.runDays * DAY_MS),
  };
}

/** Every record that an event is about: caches forget them all. */
function recordIdsOf({ ids, raw }: WebhookEvent): string[] {
  const named = [ids['record_id'], raw['duplicate_record_id']];
  return named.filter((id) => typeof id === 'string').map((id) => id.toLowerCase());
}

function endedBy(signal: AbortSignal, fetch: FetchLike): FetchLike {
  return (url, init) =>
    fetch(url, { ...init, signal: init.signal == null ? signal : AbortSignal.any([signal, init.signal]) });
}

function isoAgo(clock: Clock, ms: number): string {
  return new Date(clock.now() - ms).toISOString();
}
