import { chunks, type Handle } from './database.ts';

/** Whose values are to go. */
export interface Erased {
  readonly object: string;
  /** Our ids, those that were merged into it included. */
  readonly entityIds: readonly string[];
  readonly recordIds: readonly string[];
  /** E-mail addresses or domains. */
  readonly keys: readonly string[];
}

/** Removes a person's values from what is kept about the past. Ids stay: they say nothing of a person. */
export class ErasureStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  async erase(erased: Erased): Promise<void> {
    await this.#changes(erased);
    for (const part of chunks(erased.entityIds)) {
      await this.#db
        .deleteFrom('conflict')
        .where('object', '=', erased.object)
        .where('entity_id', 'in', part)
        .execute();
    }
    const words = [...erased.entityIds, ...erased.recordIds, ...erased.keys];
    await this.#events(words);
    await this.#letters(words);
  }

  /** The rows stay, so that the feed has no gap. */
  async #changes({ object, entityIds }: Erased): Promise<void> {
    for (const part of chunks(entityIds)) {
      await this.#db
        .updateTable('change')
        .set({ data_json: JSON.stringify({ erased: true }), changed_json: '[]' })
        .where('object', '=', object)
        .where((eb) => eb.or([eb('id', 'in', part), eb('merged_id', 'in', part)]))
        .execute();
    }
  }

  /** Events of known types hold ids only; those that are kept may be of any. */
  async #events(words: readonly string[]): Promise<void> {
    for (const word of words) {
      await this.#db
        .updateTable('inbox')
        .set({ payload_json: '{}', status: 'ignored' })
        .where('status', 'in', ['kept', 'dead'])
        .where('payload_json', 'like', `%${escaped(word)}%`)
        .execute();
    }
  }

  /** Bodies that could not be read may hold anything. */
  async #letters(words: readonly string[]): Promise<void> {
    const letters = await this.#db
      .selectFrom('dead_letter')
      .select(['id', 'body_base64'])
      .where('body_base64', 'is not', null)
      .execute();
    const found = letters.filter(({ body_base64: body }) => {
      const text = Buffer.from(body ?? '', 'base64')
        .toString()
        .toLowerCase();
      return words.some((word) => text.includes(word.toLowerCase()));
    });
    for (const part of chunks(found.map((letter) => letter.id))) {
      await this.#db.deleteFrom('dead_letter').where('id', 'in', part).execute();
    }
  }
}

/** `_` and `%` match more than themselves: more is scrubbed then, never less. */
function escaped(word: string): string {
  return JSON.stringify(word).slice(1, -1).replaceAll('\\', '_');
}
