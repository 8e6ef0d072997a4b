import { DatabaseSync } from 'node:sqlite';
import { migrate, openDatabase } from '../../src/store/database.ts';

/** In memory, shared by the connections of this process that name it, as long as one of them is open. */
const pathOf = (name: string) => `file:%2F${name}?vfs=memdb`;

let template: DatabaseSync | null = null;

/** Keeps an empty database, brought up to date, of which each seed gets a copy. To be called before time is simulated. */
async function openTemplate(): Promise<DatabaseSync> {
  const path = pathOf('template');
  const kept = new DatabaseSync(path);
  const database = openDatabase(`sqlite:${path}`);
  await migrate(database);
  await database.destroy();
  return kept;
}

/** A database that outlives the lives which use it. */
export class StoredDatabase implements Disposable {
  readonly path: string;
  readonly #kept: DatabaseSync;

  private constructor(path: string, kept: DatabaseSync) {
    this.path = path;
    this.#kept = kept;
  }

  static async create(name: string): Promise<StoredDatabase> {
    template ??= await openTemplate();
    const path = pathOf(name);
    const kept = new DatabaseSync(path);
    template.exec(`vacuum into '${path}'`);
    return new StoredDatabase(path, kept);
  }

  all<T>(sql: string): T[] {
    return this.#kept.prepare(sql).all() as T[]; // what the caller has asked for
  }

  /** Null while a transaction of the service's is open: nobody else may read then. */
  allUnlessBusy<T>(sql: string): T[] | null {
    try {
      return this.all<T>(sql);
    } catch (error) {
      if (error instanceof Error && error.message === 'database is locked') return null;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#kept.close();
  }
}
