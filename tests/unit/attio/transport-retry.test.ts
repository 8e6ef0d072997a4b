import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AttioApiError } from '../../../src/attio/errors.ts';
import {
  anObject,
  attioError,
  fakeClock,
  freezeTime,
  inTurn,
  json,
  makeClient,
  OBJECT,
  outcome,
  RECORD,
  START,
  settled,
  tooMany,
  unreachable,
} from './support.ts';

beforeEach(freezeTime);
afterEach(() => {
  vi.useRealTimers();
});

const page = json(200, { data: [RECORD] });

describe('retrying', () => {
  it('a read goes on after failures, each with its reason told', async () => {
    const { client, sent, retried } = makeClient(inTurn(unreachable, attioError(503, 'down'), anObject));
    const found = client.objects.get('people');
    await vi.runAllTimersAsync();
    expect((await found).data.api_slug).toBe('people');
    expect(sent.map(({ at }) => at - START)).toEqual([0, 125, 375]);
    expect(retried.map(({ reason }) => reason)).toEqual(['network', 'server_error']);
  });

  it('a write that may not be repeated is sent once when nobody knows what became of it', async () => {
    for (const answer of [unreachable, attioError(502, 'x'), json(200, {})]) {
      const { client, sent } = makeClient(answer);
      await expect(client.records.create('people', {})).rejects.toBeInstanceOf(AttioApiError);
      expect(sent).toHaveLength(1);
    }
  });

  it('a write that was not carried out is sent again', async () => {
    const { client, sent } = makeClient(
      inTurn(tooMany(), attioError(409, 'concurrent_write_conflict'), json(200, { data: RECORD })),
    );
    const created = client.records.create('people', {});
    await vi.runAllTimersAsync();
    await created;
    expect(sent).toHaveLength(3);
  });

  it('ends after so many attempts with the last error', async () => {
    const { client, sent } = makeClient(tooMany(), { maxAttempts: 3 });
    const { error } = await settled(client.objects.list());
    expect(error).toMatchObject({ kind: 'rate_limited', status: 429, retryAfterMs: 1000 });
    expect(sent).toHaveLength(3);
  });

  it('is left out when the caller says so', async () => {
    const { client, sent } = makeClient(unreachable);
    await expect(client.self({ retry: false })).rejects.toMatchObject({ kind: 'network' });
    expect(sent).toHaveLength(1);
  });
});

describe('a lane', () => {
  it('that holds all it may refuses one more at once, and says when to come again', async () => {
    const { client, sent } = makeClient(anObject, { readsPerSecond: 1, maxWaiting: 2 });
    const accepted = [1, 2, 3].map(() => client.objects.get('people'));
    await expect(client.objects.get('people')).rejects.toMatchObject({
      kind: 'lane_full',
      retryAfterMs: 1000,
    });
    expect(client.circuit.state).toBe('closed');
    await vi.runAllTimersAsync();
    await Promise.all(accepted);
    expect(sent).toHaveLength(3);
  });

  it('lets the more urgent go first', async () => {
    const { client, sent } = makeClient(anObject, { readsPerSecond: 1 });
    const all = [
      client.objects.get('first'),
      client.objects.get('patient'),
      client.objects.get('urgent', { priority: 1 }),
    ];
    await vi.runAllTimersAsync();
    await Promise.all(all);
    expect(sent.map(({ path }) => path)).toEqual(['/objects/first', '/objects/urgent', '/objects/patient']);
  });
});

describe('several queries', () => {
  it('and other reads together keep to the rate of reads', async () => {
    const { client, sent } = makeClient(
      ({ method, ...rest }) => (method === 'GET' ? anObject : page)({ method, ...rest }),
      {
        readsPerSecond: 7,
      },
    );
    const all = Array.from({ length: 40 }, (_, index) =>
      index % 2 === 0 ? client.objects.get('people') : client.records.query('people'),
    );
    await vi.runAllTimersAsync();
    await Promise.all(all);
    const at = sent.map((request) => request.at);
    expect(at).toHaveLength(40);
    for (const from of at)
      expect(at.filter((each) => each >= from && each < from + 1000).length).toBeLessThanOrEqual(7);
  });

  it('that wait for their score do not all go at once', async () => {
    const costly = json(200, { data: [] }, { 'x-attio-record-query-score': '30' });
    const { client, sent } = makeClient(inTurn(costly, costly, costly, costly, tooMany(), costly));
    for (let i = 0; i < 4; i += 1) await client.records.query('people');
    const refused = client.records.query('people');
    await vi.advanceTimersByTimeAsync(1);
    const waiting = [refused, ...Array.from({ length: 6 }, () => client.records.query('people'))];
    await vi.runAllTimersAsync();
    await Promise.all(waiting);
    // 120 met the limit, so 96 are aimed at (a little more later): three queries of 30 in any ten seconds.
    const later = sent.map(({ at }) => at - START).filter((at) => at > 0);
    for (const from of later)
      expect(later.filter((at) => at >= from && at < from + 10_000).length).toBeLessThanOrEqual(3);
    expect(later).toHaveLength(7);
  });
});

describe('a 429', () => {
  it('pauses its whole lane for the wait', async () => {
    const { client, sent } = makeClient(inTurn(tooMany({ 'retry-after': '3' }), anObject), {
      readConcurrency: 1,
    });
    const all = Array.from({ length: 5 }, () => client.objects.get('people'));
    await vi.advanceTimersByTimeAsync(2999);
    expect(sent).toHaveLength(1);
    await vi.runAllTimersAsync();
    await Promise.all(all);
    expect(sent.map(({ at }) => at - START)).toEqual([0, 3000, 3000, 3000, 3000, 3000]);
  });

  it('of writes leaves reads alone, and the other way round', async () => {
    const { client, sent } = makeClient(({ method, ...rest }) =>
      method === 'GET'
        ? anObject({ method, ...rest })
        : tooMany({ 'retry-after': '20' })({ method, ...rest }),
    );
    const write = outcome(client.records.create('people', {}));
    await vi.advanceTimersByTimeAsync(0);
    await client.objects.get('people');
    expect(sent).toHaveLength(2);
    client.close();
    await vi.runAllTimersAsync();
    await write;
  });

  it('does not care how wrong our clock is', async () => {
    const skewed = { date: 'Wed, 01 Jan 2020 00:00:00 GMT', 'retry-after': 'Wed, 01 Jan 2020 00:00:02 GMT' };
    const { client, sent } = makeClient(inTurn(tooMany(skewed), anObject));
    const found = client.objects.get('people');
    await vi.runAllTimersAsync();
    await found;
    expect(sent.map(({ at }) => at - START)).toEqual([0, 2000]);
  });

  it('that asks for more than anyone waits gives up, and the lane refuses until the rest is short', async () => {
    const { client, sent } = makeClient(inTurn(tooMany({ 'retry-after': '300' }), anObject));
    await expect(client.objects.list()).rejects.toMatchObject({
      kind: 'rate_limited',
      retryAfterMs: 300_000,
    });
    await expect(client.objects.list()).rejects.toMatchObject({
      kind: 'rate_limited',
      retryAfterMs: 300_000,
    });
    expect(sent).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(280_000);
    const late = client.objects.get('people');
    await vi.runAllTimersAsync();
    await late;
    expect(sent.map(({ at }) => at - START)).toEqual([0, 300_000]);
  });

  it('met again right after its wait backs the lane off further; met at the same time it does not', async () => {
    const answers = inTurn(tooMany(), tooMany(), tooMany(), tooMany(), anObject);
    const { client, sent } = makeClient(async (request) => {
      await fakeClock.sleep(20);
      return answers(request);
    });
    const both = [client.objects.get('a'), client.objects.get('b')];
    await vi.runAllTimersAsync();
    await Promise.all(both);
    expect(sent.map(({ at }) => at - START)).toEqual([0, 0, 1020, 1020, 3040, 3040]);
  });

  it('is forgotten with the next answer, be it a refusal', async () => {
    const { client, sent } = makeClient(inTurn(tooMany(), attioError(404, 'not_found'), tooMany(), anObject));
    await settled(client.objects.get('a'));
    await vi.advanceTimersByTimeAsync(1);
    await settled(client.objects.get('b'));
    expect(sent.map(({ at }) => at - START)).toEqual([0, 1000, 1001, 2001]);
  });

  it('of a query that cost something slows the queries, not the other reads', async () => {
    const costly = json(200, { data: [] }, { 'x-attio-record-query-score': '50' });
    const answers = inTurn(costly, costly, tooMany(), costly);
    const { client, sent } = makeClient((request) =>
      request.method === 'GET' ? anObject(request) : answers(request),
    );
    await client.records.query('people');
    await client.records.query('people');
    const third = client.records.query('people');
    await vi.advanceTimersByTimeAsync(0);
    await client.objects.get('people');
    expect(sent).toHaveLength(4);
    await vi.runAllTimersAsync();
    await third;
    const fourth = client.records.query('people');
    await vi.runAllTimersAsync();
    await fourth;
    // The ceiling is 80: a query of 50 goes only when the earlier ones have left the window.
    expect(sent.filter(({ method }) => method === 'POST').map(({ at }) => at - START)).toEqual([
      0, 0, 0, 10_000, 20_000,
    ]);
  });

  it('of a query that cost nothing was about the rate: all reads wait', async () => {
    const queries = inTurn(tooMany(), page);
    const { client, sent } = makeClient((request) =>
      request.method === 'GET' ? anObject(request) : queries(request),
    );
    const query = client.records.query('people');
    await vi.advanceTimersByTimeAsync(0);
    const read = client.objects.get('people');
    await vi.advanceTimersByTimeAsync(999);
    expect(sent).toHaveLength(1);
    await vi.runAllTimersAsync();
    await Promise.all([query, read]);
  });

  it('holds back queries that already wait among the reads', async () => {
    const release = Promise.withResolvers<void>();
    const slow = async () => {
      await release.promise;
      return new Response(JSON.stringify({ data: OBJECT }));
    };
    let queries = 0;
    const { client, sent } = makeClient(
      (request) => {
        if (request.method === 'GET') return slow();
        queries += 1;
        return queries === 2
          ? tooMany({ 'retry-after': '5' })(request)
          : json(200, { data: [] }, { 'x-attio-record-query-score': '1' })(request);
      },
      { readConcurrency: 5 },
    );
    await client.records.query('people');
    const reads = [1, 2, 3, 4].map(() => client.objects.get('people'));
    const waiting = [1, 2, 3].map(() => client.records.query('people'));
    await vi.advanceTimersByTimeAsync(100);
    release.resolve();
    await vi.runAllTimersAsync();
    await Promise.all([...reads, ...waiting]);
    const at = sent.filter(({ method }) => method === 'POST').map((request) => request.at - START);
    expect(at.slice(0, 2)).toEqual([0, 0]);
    expect(Math.min(...at.slice(2))).toBeGreaterThanOrEqual(5000);
    expect(at).toHaveLength(5);
  });
});
