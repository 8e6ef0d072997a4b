import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AttioApiError } from '../../../src/attio/errors.ts';
import { silentObserver } from '../../../src/attio/observer.ts';
import { Transport } from '../../../src/attio/transport.ts';
import {
  anObject,
  fakeClock,
  freezeTime,
  hang,
  inTurn,
  json,
  makeClient,
  OBJECT,
  RECORD,
  settings,
  settled,
  TOKEN,
} from './support.ts';

beforeEach(freezeTime);
afterEach(() => {
  vi.useRealTimers();
});

describe('a request', () => {
  it('carries the key and what Attio needs, and brings data and meta', async () => {
    const { client, sent, finished, waits } = makeClient(
      json(200, { data: [RECORD] }, { 'x-attio-execution-id': 'e1', 'x-attio-record-query-score': '12.5' }),
    );
    const { records, meta } = await client.records.query('people', { filter: { name: 'Ada' }, limit: 10 });
    expect(records[0]?.id.record_id).toBe('r1');
    expect(meta).toEqual({
      accurateAt: '2026-11-23T12:00:00.000000000Z',
      receivedAt: '2026-11-23T12:00:00.000000000Z',
      executionId: 'e1',
      queryScore: 12.5,
    });
    const [request] = sent;
    expect(request).toMatchObject({ method: 'POST', path: '/objects/people/records/query' });
    expect(request?.body).toEqual({ filter: { name: 'Ada' }, limit: 10, offset: 0 });
    expect(request?.headers.get('authorization')).toBe(`Bearer ${TOKEN}`);
    expect(request?.headers.get('content-type')).toBe('application/json');
    expect(finished).toEqual([
      { endpoint: 'POST /objects/{object}/records/query', status: 200, durationMs: 0 },
    ]);
    expect(waits).toEqual([
      { lane: 'query', ms: 0 },
      { lane: 'read', ms: 0 },
    ]);
  });

  it('reflects the instant that Attio tells', async () => {
    const { client } = makeClient(json(200, { data: OBJECT }, { 'x-accurate-at': '2026-11-23T11:59:59.9Z' }));
    expect((await client.objects.get('people')).meta.accurateAt).toBe('2026-11-23T11:59:59.900000000Z');
  });

  it('cannot be made with a key that no header can hold', () => {
    const deps = { fetch, clock: fakeClock, random: () => 0, observer: silentObserver };
    for (const apiKey of ['', 'two words', 'line\nbreak', 'ü']) {
      const make = () => new Transport({ ...deps, settings: { ...settings(), apiKey } });
      expect(make).toThrow(TypeError);
      if (apiKey !== '') expect(make).not.toThrow(apiKey);
    }
  });
});

describe('the time limit', () => {
  it('is for one attempt, and for its sending, not its waiting', async () => {
    const { client, finished } = makeClient(inTurn(hang, anObject), {
      readsPerSecond: 1,
      attemptTimeoutMs: 500,
    });
    const { error } = await settled(client.objects.list({ retry: false }));
    expect(error).toMatchObject({ kind: 'timeout', endpoint: 'GET /objects', status: null });
    expect(finished).toEqual([{ endpoint: 'GET /objects', status: 'timeout', durationMs: 500 }]);
    const both = [client.objects.get('a'), client.objects.get('b')];
    await vi.runAllTimersAsync();
    await expect(Promise.all(both)).resolves.toHaveLength(2);
  });

  it('covers the body', async () => {
    const cancelled = vi.fn();
    const { client } = makeClient(() => new Response(new ReadableStream({ cancel: cancelled })), {
      attemptTimeoutMs: 300,
    });
    const { error } = await settled(client.objects.list({ retry: false }));
    expect(error).toMatchObject({ kind: 'timeout' });
  });

  it('ends a fetch that does not heed its signal', async () => {
    const { client } = makeClient(() => new Promise(() => {}));
    const { error } = await settled(client.self({ retry: false, timeoutMs: 100 }));
    expect(error).toMatchObject({ kind: 'timeout' });
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('odd answers', () => {
  it.each([
    ['no JSON', () => new Response('{"data":', { status: 200 })],
    [
      'HTML',
      () => new Response('<html>hello</html>', { status: 200, headers: { 'content-type': 'text/html' } }),
    ],
    ['nothing', () => new Response(null, { status: 200 })],
    ['another shape', json(200, { data: [{ id: 'x' }] })],
    ['null', json(200, null)],
    ['a scalar', json(200, 7)],
  ])('%s are invalid_response', async (_, answer) => {
    const { client } = makeClient(answer);
    const { error } = await settled(client.objects.list({ retry: false }));
    expect(error).toMatchObject({ kind: 'invalid_response', endpoint: 'GET /objects' });
  });

  it('an HTML 502 is a server error without a code', async () => {
    const { client } = makeClient(() => new Response('<html>bad gateway</html>', { status: 502 }));
    const { error } = await settled(client.objects.list({ retry: false }));
    expect(error).toMatchObject({ kind: 'server_error', status: 502, code: null, detail: null });
  });

  it('a redirect is not followed', async () => {
    const { client, sent } = makeClient(
      () => new Response(null, { status: 302, headers: { location: 'https://evil.test' } }),
    );
    await expect(client.objects.list()).rejects.toMatchObject({ kind: 'misrouted', status: 302 });
    expect(sent).toHaveLength(1);
  });

  it('a huge body is dropped, announced or not, and its connection freed', async () => {
    const megabyte = new Uint8Array(1024 * 1024);
    for (const headers of [{ 'content-length': String(65 * 1024 * 1024) }, {}]) {
      const cancelled = vi.fn();
      const endless = () =>
        new Response(new ReadableStream({ pull: (stream) => stream.enqueue(megabyte), cancel: cancelled }), {
          headers,
        });
      const { client } = makeClient(endless);
      const { error } = await settled(client.objects.list({ retry: false }));
      expect(error).toMatchObject({ kind: 'invalid_response' });
      expect(cancelled).toHaveBeenCalled();
    }
  });

  it('an empty answer to a deletion is one', async () => {
    const { client } = makeClient(() => new Response(null, { status: 204 }));
    await expect(client.records.delete('people', 'r1')).resolves.toEqual({ alreadyGone: false });
  });
});

describe('what errors show', () => {
  it('is never the key, the body or a value', async () => {
    const echo = ({ headers, body }: { headers: Headers; body: unknown }) =>
      new Response(
        JSON.stringify({
          status_code: 400,
          code: 'validation_type',
          message: `bad ${headers.get('authorization')} ${JSON.stringify(body)}`,
          validation_errors: [{ path: ['x'], code: 'custom', message: JSON.stringify(body) }],
        }),
        { status: 400 },
      );
    const leaky = () => Promise.reject(new TypeError('fetch failed'));
    for (const answer of [echo, leaky, () => new Response('jane@example.com is no JSON')]) {
      const { client } = makeClient(answer);
      const { error } = await settled(
        client.records.create('people', { email_addresses: ['jane@example.com'] }, { retry: false }),
      );
      const shown = deepText(error);
      expect(shown).toContain('POST /objects/{object}/records');
      expect(shown).not.toContain(TOKEN);
      expect(shown).not.toContain('jane@example.com');
      expect(error instanceof AttioApiError ? `${error.detail}` : '').not.toContain(TOKEN);
    }
  });
});

/** All that a logger could get hold of: own members, message and stack, down the causes. */
function deepText(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify(error) ?? '';
  const own = Object.getOwnPropertyNames(error).map((name) => Reflect.get(error, name));
  return [String(error), JSON.stringify(error), JSON.stringify(own), error.stack, deepText(error.cause)].join(
    '\n',
  );
}
