import type { Synced, Written } from '../inputs.ts';
import type { EntryChanges, EntryInput, EntryView, ItemWriteOptions } from '../items/inputs.ts';
import type { PageQuery } from '../items/items.ts';
import type { Page } from '../ports.ts';

/** A stage, and what is in it. */
export interface StageOverview {
  readonly id: string;
  readonly title: string;
  readonly count: number;
  /** What the values of its entries add up to. */
  readonly valueTotal: number;
  readonly currencyCode: string | null;
}

export interface PipelineOverview {
  readonly list: { readonly slug: string; readonly name: string; readonly parentObjects: readonly string[] };
  /** In Attio's order; entries without a stage are in none. */
  readonly stages: readonly StageOverview[];
}

/** Entries that move from stage to stage: of a list, or the deals. */
export interface Pipeline {
  /** Puts a record in, or changes the entry that it has there already. */
  addEntry(slug: string, input: EntryInput, options: ItemWriteOptions): Promise<Written<EntryView>>;
  /** @param id ours or Attio's */
  updateEntry(
    slug: string,
    id: string,
    changes: EntryChanges,
    options: ItemWriteOptions,
  ): Promise<Written<EntryView>>;
  entry(slug: string, id: string): Promise<Written<EntryView>>;
  /** @param query.stage title in any case, or id */
  entries(
    slug: string,
    query: PageQuery & { readonly stage?: string },
  ): Promise<Page<Synced<EntryView>, string>>;
  overview(slug: string): Promise<PipelineOverview>;
}

/** Four decimal places are what Attio keeps. */
export function rounded(sum: number): number {
  return Math.round(sum * 10_000) / 10_000;
}
