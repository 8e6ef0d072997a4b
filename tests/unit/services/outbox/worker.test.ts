import { expect, test, vi } from 'vitest';
import { ClaimLostError } from '../../../../src/domain/claims.ts';
import type { OutboxRow } from '../../../../src/domain/outbox.ts';
import { systemClock } from '../../../../src/queue/clock.ts';
import { Waiters } from '../../../../src/services/outbox/waiters.ts';
import { OutboxWorker, type OutboxWorkerDeps } from '../../../../src/services/outbox/worker.ts';

const ROW = { id: 1, kind: 'people', entityId: 'one', attempts: 0, acceptedAt: '2026-01-01T00:00:00.000Z' };

test('what was in hand under a lease that is lost is not sent under the next one, and is left as it is', async () => {
  const rows = [ROW as unknown as OutboxRow]; // what the worker looks at
  const taken = Promise.withResolvers<AbortSignal>();
  const ended = Promise.withResolvers<unknown>();
  const changed = vi.fn();
  const worker = new OutboxWorker({
    outbox: { due: async () => rows.splice(0), nextDueAt: async () => null, retryLater: changed },
    courierOf: () => ({
      deliver: (_row: unknown, signal: AbortSignal) => {
        taken.resolve(signal);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      refuse: changed,
    }),
    waiters: new Waiters({ clock: systemClock() } as never),
    workspace: { maySync: true, token: 'ok' },
    isInCharge: () => true,
    tellOthers() {},
    isCircuitOpen: () => false,
    clock: systemClock(),
    random: () => 0.5,
    events: { unexpected: changed, writeRetried: changed, outboxPaused: changed },
    options: { window: 1, maxAttempts: 1, giveUpAfterMs: 1 },
  } as unknown as OutboxWorkerDeps);
  worker.start();
  const signal = await taken.promise;
  signal.addEventListener('abort', () => ended.resolve(signal.reason));
  worker.letGo();
  expect(await ended.promise).toBeInstanceOf(ClaimLostError);
  await worker.stop();
  expect(changed).not.toHaveBeenCalled();
});
