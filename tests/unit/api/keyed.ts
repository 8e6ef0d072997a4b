import type { InjectOptions } from 'fastify';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../../src/domain/clock.ts';
import { systemClock } from '../../../src/queue/clock.ts';
import type { BatchReceipt } from '../../../src/services/inputs.ts';
import { AUTHORIZED, CONTACT, createTestServer, MemoryIdempotency, SYNCED } from './support.ts';

export const BATCH_URL = '/v1/contacts/batch';
export const ONE = { contacts: [{ email: 'ada@example.com' }] };

interface Setup {
  /** What the n-th execution (from 1) does. */
  readonly batch?: (n: number) => Promise<BatchReceipt>;
  readonly store?: MemoryIdempotency;
  readonly clock?: Clock;
}

/** What the service answers to the n-th execution, unless a test has it do something else. */
export const receipt = async (n: number): Promise<BatchReceipt> => ({
  id: `batch-${n}`,
  accepted: 1,
  rejected: [],
});

/** A server whose services note what is executed, and a sender of requests with keys. */
export function setUp({
  batch = receipt,
  store = new MemoryIdempotency(),
  clock = systemClock(),
}: Setup = {}) {
  const executed: unknown[] = [];
  const server = createTestServer({
    access: { apiKeys: ['service-key', 'other-key'] },
    idempotency: { store, clock },
    services: {
      contacts: {
        batch: (items) => {
          executed.push(items);
          return batch(executed.length);
        },
        upsert: async (input) => {
          executed.push(input);
          return { thing: CONTACT, sync: { status: 'pending' } };
        },
        remove: async (id) => {
          executed.push(id);
          return { thing: CONTACT, sync: SYNCED };
        },
      },
      sync: {
        start: async (object) => {
          executed.push(object);
          return { runId: `run-${executed.length}`, alreadyRunning: false };
        },
      },
    },
  });
  onTestFinished(() => server.app.close());
  const send = (key: string, options: InjectOptions = {}) =>
    server.app.inject({
      method: 'POST',
      url: BATCH_URL,
      payload: ONE,
      ...options,
      headers: { ...AUTHORIZED, 'idempotency-key': key, ...options.headers },
    });
  return { ...server, store, executed, send };
}
