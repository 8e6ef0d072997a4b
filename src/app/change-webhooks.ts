import manifest from '../../package.json' with { type: 'json' };
import { changeJson } from '../api/change-json.ts';
import type { AppConfig } from '../config.ts';
import { StorageUnavailableError } from '../domain/storage.ts';
import { PushLog } from '../monitoring/push-events.ts';
import { AllowedHosts } from '../outbound/addresses.ts';
import { OutboundSender } from '../outbound/sender.ts';
import { GroupCommit } from '../queue/group-commit.ts';
import { Ticker } from '../queue/ticker.ts';
import { Signer } from '../services/change-webhooks/message.ts';
import { ChangePusher, RENEW_EVERY_MS } from '../services/change-webhooks/pusher.ts';
import { ChangeDeliveriesStore } from '../store/change-deliveries.ts';
import { isPostgres } from '../store/postgres.ts';
import type { Base } from './base.ts';
import type { MirrorParts } from './mirror.ts';

const HOUR_MS = 60 * 60 * 1000;

/** What shares a commit, and what may wait for one. */
const COMMIT = { maxBatch: 500, maxWaiting: 10_000 };

export function buildSender({ changeWebhooks }: AppConfig): OutboundSender {
  return new OutboundSender({
    allowed: new AllowedHosts(changeWebhooks.allowedHosts),
    userAgent: `attio-bridge/${manifest.version}`,
    keptConnections: changeWebhooks.window,
  });
}

/** Pushes changes to the addresses that are configured. */
export function buildChangeWebhooks(base: Base, mirror: MirrorParts) {
  const { config, clock, random, logger, metrics, database } = base;
  const settings = config.changeWebhooks;
  const deliveries = new ChangeDeliveriesStore(database);
  const sender = buildSender(config);
  const made = new GroupCommit({
    ...COMMIT,
    async flush(items: readonly { id: number; webhookId: string; at: string }[]) {
      await deliveries.delivered(items);
      return items.map(() => undefined);
    },
  });
  const pusher = new ChangePusher({
    urls: settings.urls,
    // A SQLite file has one process: after a crash the next one need not wait for the lease of the last.
    owner: isPostgres(database) ? base.newId() : 'the one process',
    webhooks: base.changeWebhooks,
    deliveries,
    log: made,
    sender,
    signer: new Signer(settings.secrets),
    show: changeJson,
    clock,
    random,
    events: new PushLog({ logger, metrics }),
    options: { ...settings, disableAfterMs: settings.disableAfterHours * HOUR_MS },
    rules: { firstSyncs: settings.firstSyncs, activity: config.sync.activity },
  });
  mirror.changes.onNews(() => pusher.wake());
  const leases = new Ticker({
    clock,
    everyMs: RENEW_EVERY_MS,
    task: () => pusher.renew(),
    onError(error) {
      // While the database is away nobody has the addresses; that it is away is told elsewhere.
      if (!(error instanceof StorageUnavailableError)) base.events.unexpected('change webhooks', error);
    },
  });
  return {
    pusher,
    /** The database is migrated. */
    async start() {
      await pusher.start();
      if (pusher.isConfigured) leases.start();
    },
    async stop() {
      await Promise.all([leases.stop(), pusher.stop()]);
      sender.close();
      await made.idle();
      await pusher.release();
    },
  };
}

export type ChangeWebhookParts = ReturnType<typeof buildChangeWebhooks>;
