import { describe, expect, it } from 'vitest';
import { encodeCursor } from '../../../src/api/cursor.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import type { SyncRunView } from '../../../src/services/sync.ts';
import { AUTHORIZED, createTestServer, RUN, type Services } from './support.ts';

const RUN_JSON = {
  runId: 'run-1',
  object: 'people',
  status: 'succeeded',
  startedAt: '2026-01-01T09:30:00.000Z',
  finishedAt: '2026-01-01T09:31:00.000Z',
  pages: 2,
  seen: 700,
  created: 700,
  updated: 0,
  unchanged: 0,
  deleted: 0,
  merged: 0,
};

function setUp(sync: Partial<Services['sync']>) {
  const { app } = createTestServer({ services: { sync } });
  return (method: 'GET' | 'POST' | 'DELETE', url: string) => app.inject({ method, url, headers: AUTHORIZED });
}

describe('starting a sync', () => {
  it.each([
    ['/v1/sync/people', 'people', false],
    ['/v1/sync/all', 'all', false],
    ['/v1/sync/all?force=true', 'all', true],
    ['/v1/sync/my-object_2?force=false', 'my-object_2', false],
  ])('POST %s answers 202 with the run', async (url, object, force) => {
    const asked: unknown[] = [];
    const call = setUp({
      start: async (...query) => {
        asked.push(query);
        return { runId: 'run-1', alreadyRunning: true };
      },
    });
    const response = await call('POST', url);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ data: { runId: 'run-1', alreadyRunning: true } });
    expect(asked).toEqual([[object, { force }]]);
  });

  it.each(['succeeded', 'failed', 'cancelled'] as const)(
    'and waiting is 200 with the run once %s',
    async (status) => {
      const waits: unknown[] = [];
      const call = setUp({
        start: async () => ({ runId: 'run-1', alreadyRunning: false }),
        wait: async (runId, timeoutMs) => {
          waits.push([runId, timeoutMs]);
          return { ...RUN, status, error: status === 'failed' ? 'would delete too much' : null };
        },
      });
      const response = await call('POST', '/v1/sync/people?wait=true');
      expect(response.statusCode).toBe(200);
      expect(response.json().data.status).toBe(status);
      expect(response.json().data.error).toBe(status === 'failed' ? 'would delete too much' : undefined);
      expect(waits).toEqual([['run-1', 300_000]]);
    },
  );

  it('and waiting is 202 when the run goes on for longer', async () => {
    const call = setUp({
      start: async () => ({ runId: 'run-1', alreadyRunning: true }),
      wait: async () => ({ ...RUN, status: 'running', finishedAt: null }),
    });
    const response = await call('POST', '/v1/sync/all?wait=true');
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ data: { runId: 'run-1', alreadyRunning: true } });
  });

  it('of what is not mirrored is 404', async () => {
    const call = setUp({ start: () => Promise.reject(new ServiceError('not_found', 'not mirrored')) });
    expect((await call('POST', '/v1/sync/tickets')).statusCode).toBe(404);
  });
});

describe('a sync run', () => {
  it('shows exactly what is promised', async () => {
    const call = setUp({ get: async () => RUN });
    expect((await call('GET', '/v1/sync/runs/run-1')).json()).toEqual({ data: RUN_JSON });
  });

  it('of all shows the runs that it consists of', async () => {
    const all: SyncRunView = { ...RUN, object: 'all', runs: [{ ...RUN, status: 'failed', error: 'why' }] };
    const call = setUp({ get: async () => all });
    expect((await call('GET', '/v1/sync/runs/run-1')).json()).toEqual({
      data: { ...RUN_JSON, object: 'all', runs: [{ ...RUN_JSON, status: 'failed', error: 'why' }] },
    });
  });

  it('is cancelled by DELETE', async () => {
    const cancelled: string[] = [];
    const call = setUp({
      cancel: async (runId) => {
        cancelled.push(runId);
        return { ...RUN, status: 'cancelled' };
      },
    });
    const response = await call('DELETE', '/v1/sync/runs/run-1');
    expect(response.statusCode).toBe(200);
    expect(response.json().data.status).toBe('cancelled');
    expect(cancelled).toEqual(['run-1']);
  });

  it('is listed with the others, the newest first, in pages', async () => {
    const asked: unknown[] = [];
    const call = setUp({
      list: async (query) => {
        asked.push(query);
        return { rows: [RUN], next: query.before === null ? 'run-1' : null };
      },
    });
    const first = (await call('GET', '/v1/sync/runs?limit=1')).json();
    expect(first).toEqual({ data: [RUN_JSON], nextCursor: encodeCursor('sync-runs', 'run-1') });
    expect((await call('GET', `/v1/sync/runs?cursor=${first.nextCursor}`)).json().nextCursor).toBeNull();
    expect(asked).toEqual([
      { before: null, limit: 1 },
      { before: 'run-1', limit: 100 },
    ]);
  });
});
