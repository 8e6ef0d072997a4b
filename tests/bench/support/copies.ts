import { copyFile } from 'node:fs/promises';
import {
  askPostgres,
  type Engine,
  freshDatabase,
  POSTGRES_URL,
  type TestDatabase,
} from '../../support/engines.ts';

/** A database with all that another one holds, which nobody may be using. */
export async function copyOf(source: TestDatabase, engine: Engine): Promise<TestDatabase> {
  const copy = await freshDatabase(engine);
  if (engine === 'sqlite') {
    await copyFile(pathOf(source.url), pathOf(copy.url));
    return copy;
  }
  const [from, to] = [source, copy].map(({ url }) => new URL(url).pathname.slice(1));
  await askPostgres(POSTGRES_URL, `drop database ${to} with (force)`);
  await askPostgres(POSTGRES_URL, `create database ${to} template ${from}`);
  return copy;
}

function pathOf(url: string): string {
  return url.replace(/^sqlite:/, '');
}
