import type { WebhookEvent } from '../domain/webhook-events.ts';
import { GroupCommit } from '../queue/group-commit.ts';
import type { WorkspaceGuard } from '../services/workspace.ts';
import { WebhookTrustStore } from '../store/webhook-trust.ts';
import { BoundedLog } from '../webhooks/backlog.ts';
import { registerActivityEvents } from '../webhooks/handlers/activity-events.ts';
import { registerEntryEvents } from '../webhooks/handlers/entry-events.ts';
import { registerRecordEvents } from '../webhooks/handlers/record-events.ts';
import { registerSchemaEvents } from '../webhooks/handlers/schema-events.ts';
import { WebhookIntake } from '../webhooks/intake.ts';
import type { Delivery, FollowUps, SettledEvent } from '../webhooks/ports.ts';
import { WebhookRouter } from '../webhooks/router.ts';
import { DeliveryRush } from '../webhooks/rush.ts';
import { SignatureWatch } from '../webhooks/signature-watch.ts';
import { InboxWorker } from '../webhooks/worker.ts';
import type { AttioParts } from './attio.ts';
import { type Base, isoAgo } from './base.ts';
import type { MirrorParts } from './mirror.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** What shares a commit, and what may wait for one. */
const COMMIT = { maxBatch: 500, maxWaiting: 5_000 };

/** What one of several instances has left, or had in hand about a thing, waits no longer for one that is at work and has room. */
const RESCAN_MS = 1_000;

/** What takes Attio's webhooks and settles their events. */
export function buildInbox(
  base: Base,
  attio: AttioParts,
  mirror: MirrorParts,
  workspace: WorkspaceGuard,
  followUps: FollowUps,
) {
  const { config, clock, random, events, inbox, instances } = base;
  const router = new WebhookRouter();
  const { refresh, mirroredLists, dependents } = mirror.items;
  registerRecordEvents(router, { refresh: mirror.refresh, dependents });
  registerEntryEvents(router, { refresh, lists: mirroredLists, dependents });
  registerActivityEvents(router, { refresh, activity: config.sync.activity });
  registerSchemaEvents(router, { ...attio, mirroredLists });
  const rush = new DeliveryRush(clock);
  const accepted = new GroupCommit({
    ...COMMIT,
    // While one waits for the disk, the next is written.
    maxRunning: 2,
    async flush(deliveries: readonly Delivery[]) {
      rush.note(deliveries.length);
      // What there is no room for here, others may have room for; what they have more of in hand is theirs.
      const take = deliveries.reduce((sum, { events }) => sum + events.length, 0) <= worker.room;
      const since = isoAgo(clock, config.retention.deliveryDays * DAY_MS);
      const { results, isLeft } = await inbox.accept(deliveries, since, take);
      if (isLeft) instances.publish('inbox');
      return results;
    },
  });
  const settled = new GroupCommit({
    ...COMMIT,
    inOrder: true,
    flush: async (rows: readonly SettledEvent[]) => {
      await inbox.settle(rows, isoAgo(clock, 0));
      return rows.map(() => undefined);
    },
  });
  const worker = new InboxWorker({
    inbox,
    settled,
    router,
    followUps,
    workspace,
    isInCharge: () => instances.isHeld(),
    holdBackMs: () => rush.holdBackMs,
    clock,
    random,
    events,
    options: {
      ...config.inbox,
      giveUpAfterMs: config.inbox.giveUpAfterHours * HOUR_MS,
      rescanMs: instances.owner === null ? undefined : RESCAN_MS,
    },
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
  const signatures = new SignatureWatch({ notes: new WebhookTrustStore(base.database), clock });
  const idle = () => Promise.all([accepted.idle(), settled.idle(), signatures.close()]);
  return { worker, intake, signatures, idle };
}

export type InboxParts = ReturnType<typeof buildInbox>;

/** Every record that an event is about: caches forget them all. */
function recordIdsOf({ ids, raw }: WebhookEvent): string[] {
  const named = [ids['record_id'], raw['duplicate_record_id']];
  return named.filter((id) => typeof id === 'string').map((id) => id.toLowerCase());
}
