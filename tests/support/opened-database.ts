import { onTestFinished } from 'vitest';
import { type Database, migrate, openDatabase } from '../../src/store/database.ts';
import { ENGINE, type Engine, freshDatabase, type TestDatabase } from './engines.ts';

/** A database of its own, opened and brought up to date, that goes with the test. */
export async function openFresh(
  engine: Engine = ENGINE,
): Promise<{ database: Database; fresh: TestDatabase }> {
  const fresh = await freshDatabase(engine);
  const database = openDatabase(fresh.url);
  onTestFinished(async () => {
    await database.destroy();
    await fresh[Symbol.asyncDispose]();
  });
  await migrate(database);
  return { database, fresh };
}
