import { describe, expect, test } from 'vitest';
import { AttioApiError, type AttioErrorKind } from '../../../../src/attio/errors.ts';
import type { Entry, Note } from '../../../../src/attio/types.ts';
import { AttioItemSource } from '../../../../src/services/items/source.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const LIST = '11111111-1111-4111-8111-111111111111';
const RECORD = '22222222-2222-4222-8222-222222222222';
const SIGNAL = new AbortController().signal;
const CREATED_AT = '2026-01-01T00:00:00.123456789Z';
const ENTRIES = { kind: 'entries', listId: LIST } as const;
const NOTES = { kind: 'notes', listId: null } as const;

const ids = Array.from({ length: 8 }, (_, index) => `33333333-3333-4333-8333-33333333333${String(index)}`);

function entry(id: string): Entry {
  return {
    id: { workspace_id: 'w', list_id: LIST, entry_id: id.toUpperCase() },
    parent_record_id: RECORD,
    parent_object: 'people',
    created_at: CREATED_AT,
    entry_values: {},
  };
}

function note(id: string): Note {
  return {
    id: { workspace_id: 'w', note_id: id },
    parent_object: '44444444-4444-4444-8444-444444444444',
    parent_record_id: RECORD,
    title: 'T',
    content_plaintext: 'plain',
    content_markdown: null,
    created_by_actor: null,
    created_at: CREATED_AT,
  };
}

function meta(second: number) {
  const accurateAt = `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000Z`;
  return { accurateAt, receivedAt: accurateAt, executionId: null };
}

function failure(kind: AttioErrorKind): AttioApiError {
  return new AttioApiError(kind, { endpoint: 'GET /x' });
}

interface Attio {
  /** Ids that Attio has. */
  readonly has: readonly string[];
  /** What the query shows; it throws what is an error. */
  readonly shows?: readonly string[] | AttioApiError;
}

function source({ has, shows = has }: Attio) {
  const asked: string[] = [];
  const clock = new ManualClock();
  const get = <T>(item: (id: string) => T) => {
    return async (id: string) => {
      asked.push(id);
      if (!has.includes(id)) throw failure('not_found');
      return { data: item(id), meta: meta(30) };
    };
  };
  const getEntry = get(entry);
  const client = {
    attioTime: (ms: number) => ms + 20_000,
    entries: {
      get: (_list: string, id: string) => getEntry(id),
      async query() {
        asked.push('query');
        if (shows instanceof AttioApiError) throw shows;
        return { entries: shows.map(entry), invalid: [], meta: meta(25) };
      },
    },
    notes: {
      get: get(note),
      async list() {
        asked.push(`page at ${clock.now()}`);
        return { data: has.map(note), meta: meta(30) };
      },
    },
  };
  const made = new AttioItemSource({
    client: client as never, // what is asked of it here
    names: { slugOf: async () => 'people' },
    clock,
    onInvalid() {},
  });
  return { made, asked, clock };
}

function shown(page: { snapshots: readonly { attioId: string }[] }): string[] {
  return page.snapshots.map((snapshot) => snapshot.attioId).toSorted();
}

describe('entries by their ids', () => {
  test('many are one query; what it does not show is asked for by itself', async () => {
    const { made, asked } = source({ has: ids.slice(0, 7), shows: ids.slice(0, 6) });
    const page = await made.byIds(ENTRIES, ids, SIGNAL);
    expect(shown(page)).toEqual(ids.slice(0, 7));
    expect(asked).toEqual(['query', ids[6], ids[7]]);
  });

  test('a filter that Attio takes for another proves nothing', async () => {
    const { made } = source({ has: ids, shows: [] });
    expect(shown(await made.byIds(ENTRIES, ids, SIGNAL))).toEqual(ids);
    const other = source({ has: ids.slice(0, 6), shows: ids });
    expect(shown(await other.made.byIds(ENTRIES, ids.slice(0, 6), SIGNAL))).toEqual(ids.slice(0, 6));
  });

  test.each(['filter_error', 'validation', 'value_not_found'] as const)(
    'a filter that Attio refuses (%s) is not sent again',
    async (kind) => {
      const { made, asked } = source({ has: ids, shows: failure(kind) });
      await made.byIds(ENTRIES, ids, SIGNAL);
      expect(shown(await made.byIds(ENTRIES, ids, SIGNAL))).toEqual(ids);
      expect(asked.filter((one) => one === 'query')).toHaveLength(1);
    },
  );

  test('an outage is no refusal of the filter', async () => {
    const { made, asked } = source({ has: ids, shows: failure('timeout') });
    for (const _ of [1, 2]) {
      await expect(made.byIds(ENTRIES, ids, SIGNAL)).rejects.toMatchObject({ kind: 'unavailable' });
    }
    expect(asked).toEqual(['query', 'query']);
  });

  test('few are asked for one by one', async () => {
    const { made, asked } = source({ has: ids });
    await made.byIds(ENTRIES, ids.slice(0, 4), SIGNAL);
    expect(asked).toEqual(ids.slice(0, 4));
  });
});

describe('the instant of an answer', () => {
  test('is the earliest; of an absence that of the question, by the clock of Attio', async () => {
    const { made } = source({ has: ids.slice(0, 1) });
    const page = await made.byIds(NOTES, ids.slice(0, 2), SIGNAL);
    expect(page.snapshots.map((snapshot) => snapshot.readAt)).toEqual([meta(30).accurateAt]);
    expect(page.readAt).toBe('2026-01-01T00:00:20.000000000Z');
  });
});

test('an object that is named by its id bears its slug, an instant its milliseconds, an id small letters', async () => {
  const { made } = source({ has: ids.slice(0, 1) });
  const { snapshots } = await made.byIds(NOTES, ids.slice(0, 1), SIGNAL);
  expect(snapshots).toEqual([
    expect.objectContaining({
      attioId: ids[0],
      createdAt: '2026-01-01T00:00:00.123Z',
      links: [{ object: 'people', recordId: RECORD }],
      body: { title: 'T', content: 'plain', contentPlaintext: 'plain', createdBy: null },
    }),
  ]);
  expect(shown(await made.byIds(ENTRIES, ids.slice(0, 1), SIGNAL))).toEqual(ids.slice(0, 1));
});

test('pages of notes keep the pace that Attio allows', async () => {
  const { made, asked, clock } = source({ has: [] });
  const start = clock.now();
  const pages = [0, 50, 100].map((offset) => made.page(NOTES, offset, 50, SIGNAL));
  await clock.advance(1_000);
  await Promise.all(pages);
  expect(asked).toEqual([0, 110, 220].map((ms) => `page at ${start + ms}`));
});
