import { describe, expect, it } from 'vitest';
import { anObject, attioError, inTurn, json, makeClient, RECORD } from './support.ts';

describe('queries', () => {
  const ENTRY = {
    id: { workspace_id: 'w', list_id: 'l', entry_id: 'e1' },
    parent_record_id: 'r1',
    parent_object: 'people',
    created_at: RECORD.created_at,
    entry_values: {},
  };

  it('keep the readable items of a page with unreadable ones', async () => {
    const odd = { ...RECORD, id: { ...RECORD.id, record_id: 'r2' }, created_at: 'secret' };
    const { client } = makeClient(json(200, { data: [odd, RECORD, 'x'] }));
    const { records, invalid } = await client.records.query('people');
    expect(records.map((record) => record.id.record_id)).toEqual(['r1']);
    expect(invalid).toEqual([
      { index: 0, recordId: 'r2', issue: 'created_at: invalid_format' },
      { index: 2, recordId: null, issue: ': invalid_type' },
    ]);
    expect(JSON.stringify(invalid)).not.toContain('secret');
  });

  it('ask for 500 from the start unless told otherwise', async () => {
    const { client, sent } = makeClient(json(200, { data: [] }));
    await client.records.query('people');
    await client.entries.query('sales', {
      sorts: [{ direction: 'asc', attribute: 'created_at' }],
      offset: 7,
    });
    expect(sent.map(({ path, body }) => [path, body])).toEqual([
      ['/objects/people/records/query', { limit: 500, offset: 0 }],
      [
        '/lists/sales/entries/query',
        { limit: 500, offset: 7, sorts: [{ direction: 'asc', attribute: 'created_at' }] },
      ],
    ]);
  });

  it('go through all pages; an unreadable item does not end them', async () => {
    const { client, sent } = makeClient(
      inTurn(json(200, { data: [RECORD, 'odd'] }), json(200, { data: [RECORD] })),
    );
    const offsets: number[] = [];
    for await (const page of client.records.pages('people', { limit: 2 })) offsets.push(page.offset);
    expect(offsets).toEqual([0, 2]);
    expect(sent).toHaveLength(2);
  });

  it('of entries do the same', async () => {
    const { client } = makeClient(
      inTurn(json(200, { data: [ENTRY, { id: { entry_id: 'e2' } }] }), json(200, { data: [] })),
    );
    const found: unknown[] = [];
    for await (const page of client.entries.pages('sales', { limit: 2 })) {
      found.push(
        page.entries.length,
        page.invalid.map(({ index, entryId }) => [index, entryId]),
      );
    }
    expect(found).toEqual([1, [[1, 'e2']], 0, []]);
  });
});

describe('self', () => {
  const active = { active: true, scope: 'a b', workspace_id: 'w', workspace_name: 'W' };

  it('tells whose token it is', async () => {
    const { client, sent } = makeClient(json(200, active));
    expect((await client.self()).data).toMatchObject(active);
    expect(sent.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /self']);
  });

  it.each([
    ['one that Attio no longer knows', json(200, { active: false })],
    ['one that is no token', attioError(400, 'missing_value')],
  ])('refuses %s as token_inactive', async (_, answer) => {
    const { client, sent } = makeClient(answer);
    await expect(client.self()).rejects.toMatchObject({ kind: 'token_inactive', endpoint: 'GET /self' });
    expect(sent).toHaveLength(1);
    expect(client.circuit.state).toBe('closed');
  });

  it('leaves other failures what they are', async () => {
    const { client } = makeClient(attioError(401, 'unauthorized'));
    await expect(client.self()).rejects.toMatchObject({ kind: 'unauthorized' });
  });
});

it('an id that no address can hold is refused as a rejection, not thrown', async () => {
  const { client, sent } = makeClient(anObject);
  await expect(client.records.get('people', '..')).rejects.toMatchObject({ kind: 'validation' });
  await expect(client.records.delete('people', '')).rejects.toMatchObject({ kind: 'validation' });
  expect(sent).toHaveLength(0);
});
