import type { JsonObject } from '../domain/json.ts';
import { type Handle, parseJson } from './database.ts';

/** What Attio last answered of the workspace's schema, for starts while it does not answer. */
export class DefinitionsStore {
  readonly #db: Handle;
  /** As stored, by key: a definition is written when it differs. */
  readonly #kept = new Map<string, string>();

  constructor(db: Handle) {
    this.#db = db;
  }

  async remember(key: string, items: readonly JsonObject[]): Promise<void> {
    const text = JSON.stringify(items);
    if (this.#kept.get(key) === text) return;
    await this.#db
      .insertInto('definition')
      .values({ key, items_json: text })
      .onConflict((conflict) =>
        conflict.column('key').doUpdateSet((eb) => ({ items_json: eb.ref('excluded.items_json') })),
      )
      .execute();
    this.#kept.set(key, text);
  }

  async recall(key: string): Promise<readonly JsonObject[] | null> {
    const row = await this.#db
      .selectFrom('definition')
      .select('items_json')
      .where('key', '=', key)
      .executeTakeFirst();
    return row === undefined ? null : parseJson(row.items_json);
  }
}
