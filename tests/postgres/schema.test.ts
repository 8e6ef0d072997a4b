import { expect, onTestFinished, test } from 'vitest';
import { migrate, openDatabase } from '../../src/store/database.ts';
import { type Engine, freshDatabase, type TestDatabase } from '../support/engines.ts';

async function migrated(engine: Engine) {
  const fresh = await freshDatabase(engine);
  const database = openDatabase(fresh.url);
  onTestFinished(async () => {
    await database.destroy();
    await fresh[Symbol.asyncDispose]();
  });
  await migrate(database);
  const tables = await database.introspection.getTables();
  const columns = tables.flatMap((table) =>
    table.columns.map((column) => ({
      name: `${table.name}.${column.name}`,
      // Named by SQLite after its types, by PostgreSQL after the bytes: these are the two that migrations use.
      type: column.dataType.toLowerCase().replace('int8', 'integer'),
      isNullable: column.isNullable,
      hasDefault: column.hasDefaultValue && !column.isAutoIncrementing,
    })),
  );
  return { fresh, columns: columns.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

async function names(fresh: TestDatabase, sql: string): Promise<string[]> {
  return (await fresh.rows(sql)).map((row) => String(row['name'])).toSorted();
}

test('migrations make the same tables, columns and indexes on both engines', async () => {
  const [sqlite, postgres] = [await migrated('sqlite'), await migrated('postgres')];
  // SQLite lets a primary key of text be null on paper; the store never writes one.
  const strict = postgres.columns.map((column, index) => ({
    ...column,
    isNullable: column.isNullable || sqlite.columns[index]?.isNullable,
  }));
  expect(strict).toEqual(sqlite.columns);
  expect(
    await names(
      postgres.fresh,
      "select indexname as name from pg_indexes where schemaname = 'public' and indexname !~ '_(pk|pkey)$'",
    ),
  ).toEqual(
    [
      ...(await names(
        sqlite.fresh,
        "select name from sqlite_master where type = 'index' and name not like 'sqlite_autoindex%'",
      )),
      // Only several instances ask for what it finds; on SQLite it would hold all that waits.
      'inbox_left',
    ].toSorted(),
  );
  expect(
    await names(
      postgres.fresh,
      "select table_name as name from information_schema.columns where table_schema = 'public' and is_identity = 'YES'",
    ),
  ).toEqual(await names(sqlite.fresh, "select name from sqlite_master where sql like '%autoincrement%'"));
});

test('every text compares byte by byte, and every whole number has 64 bits', async () => {
  const { fresh } = await migrated('postgres');
  const odd = await fresh.rows(`
    select table_name, column_name, data_type, collation_name from information_schema.columns
    where table_schema = 'public' and table_name not like 'kysely%'
      and not (data_type = 'text' and collation_name = 'C') and data_type <> 'bigint'`);
  expect(odd).toEqual([]);
});
