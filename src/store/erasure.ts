import { ITEM_NOUNS, type ItemKind } from '../domain/items.ts';
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
    for (const part of chunks(erased.recordIds)) {
      await this.#db
        .deleteFrom('echo')
        .where('kind', '=', erased.object)
        .where('attio_id', 'in', part)
        .execute();
    }
    const words = [...erased.entityIds, ...erased.recordIds, ...erased.keys];
    await this.#events(words);
    await this.#letters(words);
    await this.#automations(words);
  }

  /** What was told and decided of items. */
  async eraseItems(kind: ItemKind, ids: readonly string[]): Promise<void> {
    const noun = ITEM_NOUNS[kind];
    for (const part of chunks(ids)) {
      await this.#db
        .updateTable('change')
        .set({ data_json: JSON.stringify({ erased: true }), changed_json: '[]' })
        .where('type', 'in', [`${noun}.created`, `${noun}.updated`, `${noun}.deleted`])
        .where('id', 'in', part)
        .execute();
      await this.#db
        .deleteFrom('conflict')
        .where('object', '=', noun)
        .where('entity_id', 'in', part)
        .execute();
      await this.#db
        .deleteFrom('echo')
        .where('kind', '=', kind)
        .where('attio_id', 'in', (eb) =>
          eb
            .selectFrom('item')
            .select('attio_id')
            .where('kind', '=', kind)
            .where('id', 'in', part)
            .where('attio_id', 'is not', null)
            .$castTo<{ attio_id: string }>(),
        )
        .execute();
    }
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

  /** What a run has thrown may quote anybody. The letters stay: what is to be done bears ids only. */
  async #automations(words: readonly string[]): Promise<void> {
    for (const word of words) {
      const pattern = `%${escaped(word)}%`;
      await this.#db
        .updateTable('dead_letter')
        .set({ detail: 'removed with the values of a person' })
        .where('kind', '=', 'automation')
        .where(({ eb, or, exists, selectFrom }) =>
          or([
            eb('detail', 'like', pattern),
            exists(
              selectFrom('automation_job as job')
                .select('job.id')
                .whereRef('job.automation', '=', 'dead_letter.automation')
                .whereRef('job.event_id', '=', 'dead_letter.event_id')
                .where('job.payload_json', 'like', pattern),
            ),
          ]),
        )
        .execute();
    }
  }
}

/** `_` and `%` match more than themselves: more is scrubbed then, never less. */
function escaped(word: string): string {
  return JSON.stringify(word).slice(1, -1).replaceAll('\\', '_');
}
