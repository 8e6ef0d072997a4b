import { describe, expect, it } from 'vitest';
import { AttioApiError } from '../../../src/attio/errors.ts';
import type { Attribute } from '../../../src/attio/types.ts';
import { Departures, type Holder } from '../../../src/services/outbox/departures.ts';

const RECORD: Holder = { object: 'people', id: 'ada' };
const ENTRY: Holder = { listId: 'hiring', id: 'entry' };
/** Attio's clock is ahead. */
const AHEAD_MS = 5_000;
const HINT = '2026-01-01T00:00:01.000Z';
const END = '2026-01-01T00:00:09.123456789Z';

const attribute = (slug: string) => ({ id: { attribute_id: `ID-${slug}` }, api_slug: slug }) as Attribute; // all that is asked for

function setUp(history: () => unknown[], hints: Readonly<Record<string, string>> = {}) {
  const asked: unknown[] = [];
  const values = async (...args: unknown[]) => {
    asked.push(args);
    return { data: history() };
  };
  const departures = new Departures({
    hints: {
      hintedAt: async (subjectId, attributeId) => hints[`${subjectId} ${attributeId}`] ?? null,
    },
    records: { values } as never,
    entries: { values } as never,
    attioTime: (ms) => ms + AHEAD_MS,
  });
  const of = (holder: Holder, ...slugs: string[]) =>
    departures.of(holder, slugs.map(attribute), HINT, new AbortController().signal);
  return { of, asked };
}

const ended = (until: string | null) => ({ value: 'x', active_until: until });

describe('when a value went', () => {
  it("is when the hint of it came, in Attio's clock, and Attio is not asked", async () => {
    const { of, asked } = setUp(() => [ended(END)], { 'ada id-title': HINT });
    expect(await of(RECORD, 'title')).toEqual(new Map([['title', Date.parse(HINT) + AHEAD_MS]]));
    expect(asked).toEqual([]);
  });

  it.each([
    [RECORD, { object: 'people', recordId: 'ada', attribute: 'title' }],
    [ENTRY, { list: 'hiring', entryId: 'entry', attribute: 'title' }],
  ])('is the last end in the history, where there was no hint: one request', async (holder, where) => {
    const early = '2026-01-01T00:00:02.000000000Z';
    const { of, asked } = setUp(() => [ended(early), ended(END), ended(null)], { 'ada id-other': HINT });
    expect(await of(holder, 'title')).toEqual(new Map([['title', Date.parse(END)]]));
    expect(asked).toEqual([[where, expect.objectContaining({ showHistoric: true })]]);
  });

  it.each([
    [
      'Attio keeps no history of it',
      () => {
        throw new AttioApiError('validation', { endpoint: 'GET', status: 400 });
      },
    ],
    [
      'the record is gone',
      () => {
        throw new AttioApiError('not_found', { endpoint: 'GET', status: 404 });
      },
    ],
    ['nothing has ended', () => [ended(null)]],
    [
      'there is more than a page: the newest are not on it',
      () => Array.from({ length: 1_000 }, () => ended(END)),
    ],
  ])('is not known when %s', async (_, history) => {
    expect(await setUp(history).of(RECORD, 'title')).toEqual(new Map());
  });

  it('is asked again later when Attio is away', async () => {
    const { of } = setUp(() => {
      throw new AttioApiError('timeout', { endpoint: 'GET' });
    });
    await expect(of(RECORD, 'title')).rejects.toMatchObject({ kind: 'timeout' });
  });
});
