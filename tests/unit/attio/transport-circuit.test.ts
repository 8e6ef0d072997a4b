import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AttioApiError } from '../../../src/attio/errors.ts';
import {
  anObject,
  attioError,
  freezeTime,
  hang,
  inTurn,
  json,
  makeClient,
  OBJECT,
  outcome,
  settled,
  tooMany,
  unreachable,
} from './support.ts';

beforeEach(freezeTime);
afterEach(() => {
  vi.useRealTimers();
});

describe('the circuit', () => {
  it('opens after failures in a row, calls off what waits and fails fast', async () => {
    const { client, sent, circuits } = makeClient(unreachable, { readConcurrency: 1 });
    const all = await Promise.all(
      Array.from({ length: 10 }, () => outcome(client.objects.list({ retry: false }))),
    );
    expect(sent).toHaveLength(3);
    const kinds = all.map(({ error }) => (error instanceof AttioApiError ? error.kind : error));
    expect(kinds).toEqual([...Array(3).fill('network'), ...Array(7).fill('circuit_open')]);
    expect(circuits).toEqual([{ lane: 'reads', state: 'open' }]);
    expect(client.circuit).toEqual({
      state: 'open',
      reads: { state: 'open', untilAllowedMs: 5000 },
      writes: { state: 'closed', untilAllowedMs: 0 },
    });
    await expect(client.objects.list()).rejects.toMatchObject({ kind: 'circuit_open', retryAfterMs: 5000 });
  });

  it('is not opened by refusals', async () => {
    const { client } = makeClient(
      inTurn(tooMany(), attioError(404, 'not_found'), attioError(401, 'unauthorized')),
    );
    for (let i = 0; i < 10; i += 1) await settled(client.objects.get('x', { retry: false }));
    expect(client.circuit.state).toBe('closed');
  });

  it('is opened by answers that make no sense', async () => {
    const { client } = makeClient(() => new Response('<html>', { status: 200 }));
    for (let i = 0; i < 3; i += 1) await outcome(client.objects.list({ retry: false }));
    expect(client.circuit.reads.state).toBe('open');
  });

  it('is not touched by requests that their callers cancel', async () => {
    const { client } = makeClient(hang);
    for (let i = 0; i < 5; i += 1) {
      const controller = new AbortController();
      const cancelled = outcome(client.objects.list({ signal: controller.signal }));
      await vi.advanceTimersByTimeAsync(1);
      controller.abort('enough');
      expect(await cancelled).toEqual({ error: 'enough' });
    }
    expect(client.circuit.state).toBe('closed');
  });

  it('closes after one good probe', async () => {
    const { client, sent, circuits } = makeClient(inTurn(unreachable, unreachable, unreachable, anObject));
    for (let i = 0; i < 3; i += 1) await outcome(client.objects.list({ retry: false }));
    await vi.advanceTimersByTimeAsync(5000);
    const [probe, other] = await Promise.all([
      outcome(client.objects.get('people', { retry: false })),
      outcome(client.objects.get('people', { retry: false })),
    ]);
    expect(probe).toMatchObject({ value: { data: OBJECT } });
    expect(other).toMatchObject({ error: { kind: 'circuit_open' } });
    expect(sent).toHaveLength(4);
    expect(circuits.map(({ state }) => state)).toEqual(['open', 'half-open', 'closed']);
  });
});

describe('cancelling', () => {
  it('does not begin with a signal that is aborted', async () => {
    const { client, sent } = makeClient(anObject);
    await expect(client.objects.list({ signal: AbortSignal.abort('no') })).rejects.toBe('no');
    expect(sent).toHaveLength(0);
  });

  it('takes a request out of its lane', async () => {
    const { client, sent } = makeClient(hang, { readConcurrency: 1, attemptTimeoutMs: 60_000 });
    const first = outcome(client.objects.list({ retry: false }));
    const controller = new AbortController();
    const second = outcome(client.objects.list({ signal: controller.signal }));
    await vi.advanceTimersByTimeAsync(10);
    controller.abort('enough');
    expect(await second).toEqual({ error: 'enough' });
    expect(sent).toHaveLength(1);
    await vi.runAllTimersAsync();
    await first;
  });

  it('ends a wait for a retry', async () => {
    const { client, sent } = makeClient(unreachable);
    const controller = new AbortController();
    const cancelled = outcome(client.objects.list({ signal: controller.signal }));
    await vi.advanceTimersByTimeAsync(50);
    controller.abort('enough');
    expect(await cancelled).toEqual({ error: 'enough' });
    await vi.runAllTimersAsync();
    expect(sent).toHaveLength(1);
  });

  it('ends a wait of a query for its score', async () => {
    const costly = json(200, { data: [] }, { 'x-attio-record-query-score': '50' });
    const { client } = makeClient(inTurn(costly, tooMany(), costly));
    await client.records.query('people');
    const controller = new AbortController();
    const cancelled = outcome(client.records.query('people', {}, { signal: controller.signal }));
    await vi.advanceTimersByTimeAsync(1500);
    controller.abort('enough');
    expect(await cancelled).toEqual({ error: 'enough' });
  });

  it('ends a request under way, and is told as such', async () => {
    const { client, sent, finished } = makeClient(hang);
    const controller = new AbortController();
    const cancelled = outcome(client.objects.list({ signal: controller.signal }));
    await vi.advanceTimersByTimeAsync(70);
    controller.abort('enough');
    expect(await cancelled).toEqual({ error: 'enough' });
    expect(sent[0]?.signal.aborted).toBe(true);
    expect(finished).toEqual([{ endpoint: 'GET /objects', status: 'cancelled', durationMs: 70 }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves nothing behind on a signal that lives long', async () => {
    const { client } = makeClient(inTurn(unreachable, tooMany(), anObject));
    const { signal } = new AbortController();
    for (let i = 0; i < 5; i += 1) await settled(client.objects.get('people', { signal }));
    await settled(client.records.query('people', {}, { signal }));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('by closing ends what waits and what was sent, and refuses what comes', async () => {
    const { client } = makeClient(hang, { readConcurrency: 1 });
    const running = outcome(client.objects.list({ retry: false }));
    const waiting = outcome(client.objects.list());
    await vi.advanceTimersByTimeAsync(1);
    client.close();
    expect(await waiting).toMatchObject({ error: { kind: 'lane_full' } });
    await expect(client.objects.list()).rejects.toMatchObject({ kind: 'lane_full' });
    await vi.runAllTimersAsync();
    expect(await running).toMatchObject({ error: { kind: 'lane_full' } });
  });
});
