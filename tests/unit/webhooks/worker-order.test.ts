import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ServiceError } from '../../../src/services/errors.ts';
import { WebhookRouter } from '../../../src/webhooks/router.ts';
import { InboxWorker } from '../../../src/webhooks/worker.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const WORKSPACE = randomUUID();

/** Two events about one thing wait; a look that begins behind one does not find it. */
function setUp(reads: (() => Promise<unknown>)[], clock: ManualClock) {
  const router = new WebhookRouter();
  router.on('record.updated', async () => {
    await reads.shift()?.();
    return 'done';
  });
  const id = { workspace_id: WORKSPACE, object_id: randomUUID(), record_id: randomUUID() };
  const payload = JSON.stringify({ event_type: 'record.updated', id, actor: null });
  const receivedAt = new Date(clock.now()).toISOString();
  let rows = [1, 2].map((row) => ({ id: row, subjectId: 'S', payload, attempts: 0, receivedAt }));
  const settled: number[] = [];
  const worker = new InboxWorker({
    inbox: {
      pending: async (_now, afterId, inHand) => rows.filter((row) => row.id > afterId && !inHand.has(row.id)),
      nextDueAt: async () => null,
      retryLater: async () => {},
      bury: async () => {},
    },
    settled: {
      async add(row) {
        settled.push(row.id);
        rows = rows.filter((other) => other.id !== row.id);
      },
    },
    router,
    followUps: { add: async () => {} },
    workspace: { workspaceId: WORKSPACE, maySync: true },
    isInCharge: () => true,
    holdBackMs: () => 0,
    clock,
    random: () => 0.5,
    events: {
      deliveryAccepted() {},
      eventSettled() {},
      eventRetried() {},
      eventBuried() {},
      inboxPaused() {},
    },
    options: { window: 100, maxAttempts: 4, giveUpAfterMs: 3_600_000, rescanMs: 3_600_000 },
  });
  return { worker, settled };
}

test.each([300, 1_000, 2_000, 2_400, 20_000])(
  'an event whose read has met an outage goes before the next one, also when that is read for %i ms',
  async (ms) => {
    const clock = new ManualClock();
    const hiccup = async () => {
      await clock.sleep(200);
      throw new ServiceError('unavailable', 'a hiccup');
    };
    const { worker, settled } = setUp([hiccup, () => clock.sleep(ms), () => clock.sleep(50)], clock);
    worker.start();
    await clock.advance(2 * ms + 3_000);
    expect(settled).toEqual([1, 2]);
    await worker.stop();
  },
);
