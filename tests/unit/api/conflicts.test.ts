import { describe, expect, it } from 'vitest';
import { encodeCursor } from '../../../src/api/cursor.ts';
import type { Conflict } from '../../../src/domain/conflicts.ts';
import { AUTHORIZED, createTestServer, ID } from './support.ts';

const CONFLICT: Conflict = {
  id: '12',
  object: 'people',
  entityId: ID,
  recordId: ID,
  field: 'job_title',
  base: null,
  local: 'Head of Analysis',
  attio: ['a', { b: 1 }],
  decided: 'attio',
  status: 'resolved',
  reason: 'changed in Attio after it was changed here',
  at: '2026-01-01T09:30:00.000Z',
  resolvedAt: '2026-01-01T09:30:00.000Z',
  wanted: 'Head of Analysis',
  merged: undefined,
};
const { wanted: _, merged: __, ...SHOWN } = CONFLICT;

function setUp() {
  const asked: unknown[] = [];
  const { app } = createTestServer({
    services: {
      conflicts: {
        list: async (query) => {
          asked.push(query);
          return { rows: [CONFLICT], next: query.after === 0 ? 12 : null };
        },
      },
    },
  });
  return { get: (url: string) => app.inject({ url, headers: AUTHORIZED }), asked };
}

describe('conflicts', () => {
  it('show exactly what is promised, in pages', async () => {
    const { get, asked } = setUp();
    const first = (await get('/v1/conflicts')).json();
    expect(first).toEqual({ data: [SHOWN], nextCursor: encodeCursor('conflicts', 12) });
    const second = (await get(`/v1/conflicts?limit=5&cursor=${first.nextCursor}`)).json();
    expect(second.nextCursor).toBeNull();
    expect(asked).toEqual([
      { status: null, after: 0, limit: 100 },
      { status: null, after: 12, limit: 5 },
    ]);
  });

  it.each(['open', 'resolved'])('are listed by status: %s', async (status) => {
    const { get, asked } = setUp();
    expect((await get(`/v1/conflicts?status=${status}`)).statusCode).toBe(200);
    expect(asked).toEqual([{ status, after: 0, limit: 100 }]);
  });

  it.each([
    ['status=all', 'status', 'must be open or resolved'],
    ['status=', 'status', 'must be open or resolved'],
    ['status=open&status=open', 'status', 'is given more than once'],
    ['limit=0', 'limit', 'must be a whole number from 1 to 1000'],
    ['object=people', 'object', 'is not known here'],
    [
      `cursor=${encodeCursor('dead-letters', 12)}`,
      'cursor',
      'was not given by this list: send the cursor of an answer before, or leave it out',
    ],
  ])('are not asked for by ?%s', async (query, path, message) => {
    const { get, asked } = setUp();
    const response = await get(`/v1/conflicts?${query}`);
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toEqual([{ path, message }]);
    expect(asked).toEqual([]);
  });
});
