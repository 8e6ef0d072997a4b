import type { Attribute, Row, StoredValue } from '../core/types.ts';
import type { Schema } from './schema.ts';

const NONE: readonly StoredValue[] = [];
const COMPACT_AFTER = 1024;

/** The rows of one object or list: by id, in creation order, and by unique value. */
export class Table {
  readonly schema: Schema;
  readonly #rows = new Map<string, Row>();
  readonly #unique = new Map<string, Map<string, string>>();
  #ordered: Row[] = [];
  #dead = 0;

  constructor(schema: Schema) {
    this.schema = schema;
  }

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  insert(row: Row): void {
    this.#rows.set(row.id, row);
    this.#ordered.push(row);
  }

  /** All rows in creation order. */
  *inOrder(): Generator<Row> {
    for (const row of this.#ordered) if (!row.deleted) yield row;
  }

  /** Rows in creation order without walking the ones before the offset, when nothing was deleted. */
  page(offset: number, limit: number, newestFirst: boolean): Row[] {
    this.#compact(0);
    if (!newestFirst) return this.#ordered.slice(offset, offset + limit);
    const end = this.#ordered.length - offset;
    return this.#ordered.slice(Math.max(0, end - limit), Math.max(0, end)).reverse();
  }

  #compact(tolerated: number): void {
    if (this.#dead <= tolerated) return;
    this.#ordered = this.#ordered.filter((row) => !row.deleted);
    this.#dead = 0;
  }

  remove(row: Row): void {
    for (const attribute of this.schema.attributes) this.put(row, attribute, NONE);
    this.#rows.delete(row.id);
    row.deleted = true;
    this.#dead += 1;
    if (this.#dead > this.#ordered.length / 2) this.#compact(COMPACT_AFTER);
  }

  /** Stores the current values of one attribute and keeps its unique index true. */
  put(row: Row, attribute: Attribute, values: readonly StoredValue[]): void {
    if (attribute.unique) this.#reindex(row, attribute, values);
    if (values.length === 0) row.current.delete(attribute.id);
    else row.current.set(attribute.id, values);
  }

  #reindex(row: Row, attribute: Attribute, values: readonly StoredValue[]): void {
    let index = this.#unique.get(attribute.id);
    if (index === undefined) {
      index = new Map();
      this.#unique.set(attribute.id, index);
    }
    for (const old of row.current.get(attribute.id) ?? NONE) {
      if (index.get(old.key) === row.id) index.delete(old.key);
    }
    for (const value of values) index.set(value.key, row.id);
  }

  /** The row that holds a value of a unique attribute. */
  holder(attribute: Attribute, key: string): Row | undefined {
    const id = this.#unique.get(attribute.id)?.get(key);
    return id === undefined ? undefined : this.#rows.get(id);
  }

  /** From now on values must be unique; what is there already may repeat, its first holder is the one found. */
  makeUnique(attribute: Attribute): void {
    const index = new Map<string, string>();
    for (const row of this.inOrder()) {
      for (const value of row.current.get(attribute.id) ?? NONE) {
        if (!index.has(value.key)) index.set(value.key, row.id);
      }
    }
    this.#unique.set(attribute.id, index);
    attribute.unique = true;
  }
}
