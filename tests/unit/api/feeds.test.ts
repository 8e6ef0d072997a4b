import { describe, expect, it } from 'vitest';
import { encodeCursor } from '../../../src/api/cursor.ts';
import type { Change } from '../../../src/domain/changes.ts';
import type { DeadLetter } from '../../../src/domain/dead-letters.ts';
import type { ChangesQuery } from '../../../src/services/changes.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import { AUTHORIZED, createTestServer, type Services } from './support.ts';

const CHANGE: Change = {
  seq: 42,
  type: 'record.merged',
  object: 'people',
  id: 'survivor',
  mergedId: 'gone',
  source: 'attio',
  changed: ['name'],
  at: '2026-01-01T09:30:00.000Z',
  data: { firstName: 'Ada', deep: { list: [1, null] } },
};

describe('the changes', () => {
  function setUp(rows: readonly Change[], next: number) {
    const asked: Omit<ChangesQuery, 'signal'>[] = [];
    const { app } = createTestServer({
      services: {
        changes: {
          read: async ({ signal: _signal, ...query }) => {
            asked.push(query);
            return { rows, next };
          },
        },
      },
    });
    return { get: (url: string) => app.inject({ url, headers: AUTHORIZED }), asked };
  }

  it('show exactly what is promised, each with its cursor', async () => {
    const { mergedId: _mergedId, ...plain } = { ...CHANGE, seq: 43, type: 'record.updated' as const };
    const { get } = setUp([CHANGE, plain], 43);
    const { seq: _seq, ...shown } = CHANGE;
    const { seq: _plainSeq, ...plainShown } = plain;
    expect((await get('/v1/changes')).json()).toEqual({
      data: [
        { ...shown, cursor: encodeCursor('changes', 42) },
        { ...plainShown, cursor: encodeCursor('changes', 43) },
      ],
      nextCursor: encodeCursor('changes', 43),
    });
  });

  it('begin with the oldest, after a cursor, or now', async () => {
    const { get, asked } = setUp([], 7);
    const page = (await get('/v1/changes')).json();
    expect(page).toEqual({ data: [], nextCursor: encodeCursor('changes', 7) });
    await get(`/v1/changes?after=${page.nextCursor}&limit=5&wait=30`);
    await get('/v1/changes?after=latest&wait=0');
    expect(asked).toEqual([
      { after: null, limit: 100, waitMs: 0 },
      { after: 7, limit: 5, waitMs: 30_000 },
      { after: 'latest', limit: 100, waitMs: 0 },
    ]);
  });

  it.each([
    ['after', encodeCursor('contacts', 'x')],
    ['after', encodeCursor('dead-letters', 7)],
    ['after', encodeCursor('changes', -1)],
    ['after', encodeCursor('changes', 1.5)],
    ['after', encodeCursor('changes', '7')],
    ['after', '7'],
    ['after', 'LATEST'],
    ['after', ''],
    ['wait', '31'],
    ['wait', '-1'],
    ['wait', '1.5'],
    ['wait', 'true'],
    ['cursor', encodeCursor('changes', 7)],
  ])('refuse ?%s=%s', async (name, value) => {
    const { get, asked } = setUp([], 0);
    const response = await get(`/v1/changes?${name}=${value}`);
    expect(response.statusCode).toBe(400);
    expect(response.json().errors[0].path).toBe(name);
    expect(asked).toEqual([]);
  });

  it('after a cursor that is too old are 410', async () => {
    const expired = new ServiceError('cursor_expired', 'no longer kept', { path: 'after' });
    const { app } = createTestServer({ services: { changes: { read: () => Promise.reject(expired) } } });
    const response = await app.inject({ url: '/v1/changes', headers: AUTHORIZED });
    expect(response.statusCode).toBe(410);
    expect(response.json()).toMatchObject({
      type: 'urn:attio-bridge:problem:cursor-expired',
      errors: [{ path: 'after', message: 'no longer kept' }],
    });
  });
});

const LETTER: DeadLetter = {
  id: '7',
  kind: 'inbox',
  reason: 'unreadable_body',
  detail: 'not JSON',
  eventId: null,
  outboxId: null,
  automation: null,
  deliveryId: null,
  eventType: null,
  bodyBase64: 'bm90IGpzb24=',
  attempts: 0,
  createdAt: '2026-01-01T09:30:00.000Z',
};

describe('dead letters', () => {
  function setUp(deadLetters: Partial<Services['deadLetters']>) {
    const { app } = createTestServer({ services: { deadLetters } });
    return (method: 'GET' | 'POST', url: string) => app.inject({ method, url, headers: AUTHORIZED });
  }

  it('are listed by kind, in pages, without bodies that are too large to show', async () => {
    const asked: unknown[] = [];
    const large = { ...LETTER, id: '8', bodyBase64: 'x'.repeat(8193) };
    const call = setUp({
      list: async (query) => {
        asked.push(query);
        return { rows: [LETTER, large], next: 8 };
      },
    });
    const page = (await call('GET', '/v1/dead-letters')).json();
    expect(page).toEqual({
      data: [LETTER, { ...large, bodyBase64: null }],
      nextCursor: encodeCursor('dead-letters', 8),
    });
    await call('GET', `/v1/dead-letters?kind=outbox&limit=2&cursor=${page.nextCursor}`);
    expect(asked).toEqual([
      { kind: null, after: 0, limit: 100 },
      { kind: 'outbox', after: 8, limit: 2 },
    ]);
  });

  it('of an unknown kind are 400', async () => {
    const call = setUp({});
    for (const [method, url] of [
      ['GET', '/v1/dead-letters?kind=nope'],
      ['POST', '/v1/dead-letters/replay?kind='],
    ] as const) {
      const response = await call(method, url);
      expect(response.json().errors).toEqual([
        { path: 'kind', message: 'must be inbox, outbox, notify or automation' },
      ]);
    }
  });

  it('are taken back to work, one or all', async () => {
    const asked: unknown[] = [];
    const call = setUp({
      replay: async (id) => {
        asked.push(id);
        return LETTER;
      },
      replayAll: async (kind) => {
        asked.push(kind);
        return { replayed: 2, refused: 1 };
      },
    });
    expect((await call('POST', '/v1/dead-letters/7/replay')).json()).toEqual({ data: LETTER });
    expect((await call('POST', '/v1/dead-letters/replay')).json()).toEqual({
      data: { replayed: 2, refused: 1 },
    });
    await call('POST', '/v1/dead-letters/replay?kind=inbox');
    expect(asked).toEqual(['7', null, 'inbox']);
  });

  it('that cannot be taken back are 422 and stay', async () => {
    const call = setUp({ replay: () => Promise.reject(new ServiceError('refused', 'still unreadable')) });
    expect((await call('POST', '/v1/dead-letters/7/replay')).statusCode).toBe(422);
  });
});
