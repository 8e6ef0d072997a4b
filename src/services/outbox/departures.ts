import { AttioApiError } from '../../attio/errors.ts';
import type { EntriesResource } from '../../attio/resources/entries.ts';
import type { RecordsResource } from '../../attio/resources/records.ts';
import type { Attribute, AttributeValue } from '../../attio/types.ts';

/** A record of an object, or an entry of a list. */
export type Holder =
  | { readonly object: string; readonly id: string }
  | { readonly listId: string; readonly id: string };

/** When something was said to have changed. */
export interface Hints {
  /** @returns ISO 8601 UTC, in our clock; null: it was not said, or was looked into before `unseenAt` */
  hintedAt(subjectId: string, attributeId: string, unseenAt: string): Promise<string | null>;
}

/** Values, ended ones included, that are looked through: of more, the newest are not on the first page. */
const MAX_VALUES = 1_000;

/**
 * When values went that are there no more: an attribute that was cleared reads `[]` and bears no time.
 *
 * It went when the hint of it came. When there was no hint that the state agreed on had not seen yet, Attio's history
 * tells it, which it keeps from enriched and communication attributes.
 */
export class Departures {
  readonly #hints: Hints;
  readonly #records: Pick<RecordsResource, 'values'>;
  readonly #entries: Pick<EntriesResource, 'values'>;
  readonly #attioTime: (ms: number) => number;

  /** @param deps.attioTime what Attio's clock shows at an instant of ours */
  constructor(deps: {
    hints: Hints;
    records: Pick<RecordsResource, 'values'>;
    entries: Pick<EntriesResource, 'values'>;
    attioTime: (ms: number) => number;
  }) {
    this.#hints = deps.hints;
    this.#records = deps.records;
    this.#entries = deps.entries;
    this.#attioTime = deps.attioTime;
  }

  /**
   * @param acceptedAt of the write: what both sides agreed on was there then, as far as was known here. ISO 8601 UTC
   * @returns by slug, in Attio's clock and milliseconds; without those that cannot be known
   * @throws AttioApiError
   */
  async of(
    holder: Holder,
    attributes: readonly Attribute[],
    acceptedAt: string,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    for (const attribute of attributes) {
      const hint = await this.#hints.hintedAt(holder.id, attribute.id.attribute_id.toLowerCase(), acceptedAt);
      const at =
        hint === null
          ? await this.#lastEnd(holder, attribute.api_slug, signal)
          : this.#attioTime(Date.parse(hint));
      if (at !== null) found.set(attribute.api_slug, at);
    }
    return found;
  }

  async #lastEnd(holder: Holder, slug: string, signal: AbortSignal): Promise<number | null> {
    try {
      const values = await this.#history(holder, slug, signal);
      const ends = values.map((value) => Date.parse(String(value['active_until'])));
      const known = ends.filter((end) => !Number.isNaN(end));
      return values.length === MAX_VALUES || known.length === 0 ? null : Math.max(...known);
    } catch (error) {
      // It keeps no history of this attribute, or the record is gone: then the write will find out.
      if (error instanceof AttioApiError && error.traits.final) return null;
      throw error;
    }
  }

  async #history(holder: Holder, slug: string, signal: AbortSignal): Promise<readonly AttributeValue[]> {
    const page = { limit: MAX_VALUES, showHistoric: true, signal };
    const { data } =
      'object' in holder
        ? await this.#records.values({ object: holder.object, recordId: holder.id, attribute: slug }, page)
        : await this.#entries.values({ list: holder.listId, entryId: holder.id, attribute: slug }, page);
    return data;
  }
}
