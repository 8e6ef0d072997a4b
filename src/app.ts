/**
 * The composition root, with its parts in `app/`: the only code that knows everything. Builds in dependency order,
 * starts, and takes down in reverse. `index.ts` and the tests call the same function.
 */
import type { FastifyInstance } from 'fastify';
import manifest from '../package.json' with { type: 'json' };
import { type AttioParts, buildAttio } from './app/attio.ts';
import { type AutomationParts, buildAutomations } from './app/automations.ts';
import { type Base, buildBase, isoAgo, type Overrides } from './app/base.ts';
import { buildChangeWebhooks, type ChangeWebhookParts } from './app/change-webhooks.ts';
import { buildHttp } from './app/http.ts';
import { buildInbox, type InboxParts } from './app/inbox.ts';
import type { Reactions } from './app/instances.ts';
import { buildMirror, type MirrorParts } from './app/mirror.ts';
import { buildOutbox, type OutboxParts } from './app/outbox.ts';
import { buildServices, type ServiceParts } from './app/services.ts';
import { warm } from './app/warm.ts';
import type { AppConfig } from './config.ts';
import { IDEMPOTENCY_KEPT_MS } from './domain/idempotency.ts';
import { Ticker } from './queue/ticker.ts';
import { HealthService } from './services/health.ts';
import { WorkspaceGuard } from './services/workspace.ts';
import { migrate, probeDatabase } from './store/database.ts';
import { deploymentId } from './store/deployment.ts';
import { dropExpired, type RetentionCutoffs } from './store/retention.ts';
import { WorkspaceStore } from './store/workspace.ts';
import type { InboxWorker } from './webhooks/worker.ts';

export type { Overrides };

export interface App {
  readonly http: FastifyInstance;
  /** Listens, migrates, and takes up the work that is waiting. @returns the address; empty when stopped meanwhile */
  start(): Promise<string>;
  /**
   * For commands: migrates and asks Attio who we are, so that `http.inject` is answered. Neither listens nor takes up
   * what is waiting; a sync that is started runs.
   */
  open(): Promise<void>;
  /** Takes nothing more, finishes or hands back what runs, closes everything. Never rejects. */
  stop(): Promise<void>;
}

/** A probe that takes longer says nothing; health itself answers sooner. */
const PROBE_TIMEOUT_MS = 5_000;

/** Longer than the longest wait between two tries of what Attio has forbidden. */
const FORBIDDEN_MS = 90_000;

/** How long a start waits to learn whether Redis is there. */
const REDIS_START_MS = 500;

/** How long requests under way may take once we are stopping. */
const HTTP_DRAIN_MS = 4_000;
const IDLE_SWEEP_MS = 50;

const MINUTE_MS = 60 * 1000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** @throws when the database cannot be opened */
export function createApp(config: AppConfig, overrides: Overrides = {}): App {
  const base = buildBase(config, overrides);
  const stopped = new AbortController();
  const fetchAttio = overrides.fetch ?? ((url, init) => fetch(url, init));
  // Built last, told of from the start.
  let worker: InboxWorker | null = null;
  let outbox: OutboxParts | null = null;
  let automations: AutomationParts | null = null;
  const attio = buildAttio(base, fetchAttio, {
    onCircuitClosed(circuit) {
      if (circuit === 'reads') worker?.resume();
      outbox?.worker.resume();
      automations?.engine.resume();
    },
    stopped: stopped.signal,
  });
  const workspace = new WorkspaceGuard({
    readSelf: async (signal) =>
      (await attio.client.self({ signal, retry: false, priority: 1, timeoutMs: PROBE_TIMEOUT_MS })).data,
    store: new WorkspaceStore(base.database),
    clock: base.clock,
    events: base.events,
    onConfirmed() {
      attio.views.start();
      worker?.wake();
      outbox?.worker.resume();
      automations?.engine.resume();
      const objects = [...new Set(['people', 'companies', ...config.sync.objects])];
      warm(attio, objects, mirror.mapping.slugOf('deals', 'stage'));
      void automations?.checkStages();
      mirror.apply.adopt('deals', stopped.signal).catch((error) => {
        if (!stopped.signal.aborted) base.events.unexpected('deals that were mirrored before', error);
      });
      mirror.redraw.all(stopped.signal).catch((error) => {
        if (!stopped.signal.aborted) base.events.unexpected('things of another mapping', error);
      });
    },
  });
  const mirror = buildMirror(base, attio, workspace, () => outbox?.worker.wake());
  outbox = buildOutbox(base, attio, mirror, workspace);
  const services = buildServices(base, attio, mirror, outbox);
  automations = buildAutomations(base, attio, workspace, services, overrides.automations);
  const inbox = buildInbox(base, attio, mirror, workspace, automations.engine);
  worker = inbox.worker;
  const changeWebhooks = buildChangeWebhooks(base, mirror);
  const parts = { attio, workspace, mirror, inbox, outbox, services, automations, changeWebhooks };
  base.instances.react(reactionsOf(parts));
  return assemble(base, { ...parts, stopped });
}

/** What is done when other instances tell of something, and when our own lease is lost or held again. */
function reactionsOf({ inbox, outbox, automations, mirror }: Omit<Parts, 'stopped'>): Reactions {
  const takeUp = () => {
    inbox.worker.wakeAll();
    outbox.worker.wakeAll();
    automations.engine.wake();
    mirror.sync.takeUp();
  };
  return {
    inbox: () => inbox.worker.wakeAll(),
    outbox() {
      outbox.worker.wake();
      outbox.elsewhere.heard();
    },
    automations: () => automations.engine.wake(),
    changes: () => mirror.changes.notify(),
    runs: () => mirror.sync.heard(),
    instances: takeUp,
    lost() {
      outbox.worker.letGo();
      outbox.waiters.release();
      void mirror.sync.letGo();
    },
    held() {
      inbox.worker.resume();
      outbox.worker.resume();
      automations.engine.resume();
      mirror.sync.takeUp();
    },
  };
}

interface Parts {
  readonly attio: AttioParts;
  readonly workspace: WorkspaceGuard;
  readonly mirror: MirrorParts;
  readonly inbox: InboxParts;
  readonly outbox: OutboxParts;
  readonly services: ServiceParts;
  readonly automations: AutomationParts;
  readonly changeWebhooks: ChangeWebhookParts;
  /** Ends what the start has left running. */
  readonly stopped: AbortController;
}

function assemble(base: Base, parts: Parts): App {
  const { config, clock, database } = base;
  const { attio, workspace, mirror, inbox, outbox, services, automations, changeWebhooks, stopped } = parts;
  const draining = new AbortController();
  const health = new HealthService({
    version: manifest.version,
    clock,
    workspace,
    circuit: () => attio.client.circuit.state,
    mappingFaults: () => attio.mappingWatch.faults,
    forbiddenLately: () => outbox.worker.isForbidden || clock.now() - attio.readForbiddenAt() < FORBIDDEN_MS,
    probeDatabase: () => probeDatabase(database),
    redis: () => base.shared?.health ?? null,
    inboxStats: () => base.inbox.stats(),
    outboxStats: () => base.store.outbox.stats(),
    pushStats: () => changeWebhooks.pusher.stats(),
    deadLetters: () => base.deadLetters.counts(),
    probeEveryMs: config.health.probeEverySeconds * 1000,
  });
  const http = buildHttp(base, parts, health, draining.signal);
  const retention = new Ticker({
    clock,
    everyMs: HOUR_MS,
    task: async (signal) => {
      await dropExpired(database, retentionCutoffs(base), signal);
      await automations.engine.sweep(isoAgo(clock, HOUR_MS));
    },
    onError: (error) => base.events.unexpected('retention', error),
  });
  const echoes = new Ticker({
    clock,
    everyMs: MINUTE_MS,
    task: async () => {
      const { expectedSeconds, maxLines } = config.echoes;
      // Kept as long again, so that those that are late are known.
      await base.store.echoes.drop(isoAgo(clock, 2 * expectedSeconds * 1000), maxLines);
    },
    onError: (error) => base.events.unexpected('the ledger of echoes', error),
  });
  const views = new Ticker({
    clock,
    everyMs: MINUTE_MS,
    task: () => attio.views.retry(),
    onError: (error) => base.events.unexpected('views', error),
  });
  const stopOnce = async () => {
    health.markDraining();
    draining.abort(new Error('the service is stopping'));
    const forced = setTimeout(() => http.server.closeAllConnections(), HTTP_DRAIN_MS);
    // Connections whose request is answered after the closing has begun are kept alive; nothing comes on them any more.
    const answered = setInterval(() => http.server.closeIdleConnections(), IDLE_SWEEP_MS);
    await http.close();
    clearInterval(answered);
    clearTimeout(forced);
    const looksEnded = mirror.close();
    const ended = Promise.all([
      retention.stop(),
      mirror.sync.stop(),
      inbox.worker.stop(),
      outbox.stop(),
      automations.engine.stop(),
      changeWebhooks.stop(),
      looksEnded,
    ]);
    stopped.abort(new Error('the service has stopped'));
    // They have been told: what they still wait for may end now.
    attio.client.close();
    await ended;
    await Promise.all([echoes.stop(), views.stop(), attio.views.stop()]);
    await Promise.all([inbox.idle(), automations.idle(), services.idle()]);
    await base.shared?.close();
    await base.instances.stop();
    await database.destroy();
  };
  let stopping: Promise<void> | null = null;
  const stop = () => {
    stopping ??= stopOnce();
    return stopping;
  };
  const prepare = async () => {
    await migrate(database);
    await workspace.load();
    await base.instances.start();
    base.shared?.start(await deploymentId(database));
    await base.shared?.settled(REDIS_START_MS);
  };
  return {
    http,
    async open() {
      await prepare();
      void workspace.learn(stopped.signal);
      health.markStarted();
    },
    async start() {
      try {
        const startedAt = isoAgo(clock, 0);
        const address = await http.listen({ host: config.http.host, port: config.http.port });
        await prepare();
        await base.idempotency.clearRunning(startedAt);
        // Among several, another version may know automations that this one does not.
        await automations.engine.sweep((await base.instances.isAlone()) ? startedAt : isoAgo(clock, HOUR_MS));
        await mirror.sync.resumeAll();
        inbox.worker.start();
        outbox.worker.start();
        automations.engine.start();
        await changeWebhooks.start();
        retention.start();
        echoes.start();
        views.start();
        void workspace.learn(stopped.signal);
        health.markStarted();
        return address;
      } catch (error) {
        // A stop in the middle of a start takes away what the start stands on.
        const wasStopping = stopping !== null;
        await stop();
        if (wasStopping) return '';
        throw error;
      }
    },
    stop,
  };
}

function retentionCutoffs({ clock, config: { deletes, retention } }: Base): RetentionCutoffs {
  return {
    deliveries: isoAgo(clock, retention.deliveryDays * DAY_MS),
    settledEvents: isoAgo(clock, retention.settledEventDays * DAY_MS),
    keptEvents: isoAgo(clock, retention.changeDays * DAY_MS),
    changes: isoAgo(clock, retention.changeDays * DAY_MS),
    runs: isoAgo(clock, retention.runDays * DAY_MS),
    writes: isoAgo(clock, retention.writeDays * DAY_MS),
    conflicts: isoAgo(clock, retention.conflictDays * DAY_MS),
    keyedRequests: isoAgo(clock, IDEMPOTENCY_KEPT_MS),
    archived: isoAgo(clock, deletes.undoDays * DAY_MS),
  };
}
