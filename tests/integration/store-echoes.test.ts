import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { EchoLine } from '../../src/domain/echoes.ts';
import { type Database, migrate, openDatabase } from '../../src/store/database.ts';
import { EchoesStore } from '../../src/store/echoes.ts';
import { freshDatabase, type TestDatabase } from '../support/engines.ts';

let place: TestDatabase;
let database: Database;
let echoes: EchoesStore;

beforeAll(async () => {
  place = await freshDatabase();
  database = openDatabase(place.url);
  await migrate(database);
  echoes = new EchoesStore(database);
});

afterAll(async () => {
  await database.destroy();
  await place[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await database.deleteFrom('echo').execute();
});

function line(attioId: string, aspect: string, second: number, hash = 'h'): EchoLine {
  const writtenAt = `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;
  return { kind: 'people', attioId, aspect, hash, writtenAt };
}

async function left(): Promise<string[]> {
  const rows = await database
    .selectFrom('echo')
    .selectAll()
    .orderBy('written_at')
    .orderBy('attio_id')
    .execute();
  return rows.map((row) => row.attio_id);
}

describe('the lines of our writes', () => {
  test('are one for each aspect of a thing: the last', async () => {
    await echoes.put([line('ada', 'title', 1, 'one'), line('ada', 'name', 1), line('bob', 'title', 1)]);
    await echoes.put([line('ada', 'title', 2, 'two')]);
    const found = await echoes.of('people', ['ada']);
    expect(found.toSorted((a, b) => a.aspect.localeCompare(b.aspect))).toEqual([
      line('ada', 'name', 1),
      line('ada', 'title', 2, 'two'),
    ]);
    expect(await echoes.of('companies', ['ada'])).toEqual([]);
  });

  test('may be many at once, and none', async () => {
    await echoes.put([]);
    await echoes.put(Array.from({ length: 1_200 }, (_, index) => line(`p${index}`, 'title', 1)));
    expect(await left()).toHaveLength(1_200);
  });

  test('go when they are old, and the oldest when they are too many', async () => {
    const all = [1, 2, 3, 4, 5, 6].map((second) => line(`p${second}`, 'title', second));
    await echoes.put(all);
    expect(await echoes.drop(all[1]?.writtenAt ?? '', 10)).toBe(1);
    expect(await left()).toEqual(['p2', 'p3', 'p4', 'p5', 'p6']);
    expect(await echoes.drop('', 5)).toBe(0);
    expect(await echoes.drop('', 3)).toBe(2);
    expect(await left()).toEqual(['p4', 'p5', 'p6']);
    expect(await echoes.drop(all[5]?.writtenAt ?? '', 2)).toBe(2);
    expect(await left()).toEqual(['p6']);
  });

  test('of one instant go together, so that never more than the bound is left', async () => {
    await echoes.put([
      line('a', 'title', 1),
      line('b', 'title', 1),
      line('c', 'title', 1),
      line('d', 'title', 2),
    ]);
    expect(await echoes.drop('', 2)).toBe(3);
    expect(await left()).toEqual(['d']);
  });
});
