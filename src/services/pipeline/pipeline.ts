import type { KnownChoice } from '../choices.ts';
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
  /** Nothing can be put into it any more; shown while something is in it. */
  readonly archived?: true;
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

/** What is in a stage, by its id, or by its title where that is all that is known; null: in none. */
export interface StageSum {
  readonly stage: string | null;
  readonly count: number;
  readonly valueTotal: number | null;
  readonly currencyCode: string | null;
}

/**
 * The stages with what is in each. An archived one is shown while something is in it.
 * @param currencyCode where a stage has no value to tell it
 */
export function stageOverviews(
  stages: readonly KnownChoice[],
  sums: readonly StageSum[],
  currencyCode: string | null,
): StageOverview[] {
  const placed = sums.map((sum) => ({ ...sum, in: stageOf(stages, sum.stage) }));
  return stages.flatMap((stage): StageOverview[] => {
    const own = placed.filter((sum) => sum.in === stage);
    const count = own.reduce((all, sum) => all + sum.count, 0);
    if (stage.isArchived && count === 0) return [];
    const overview = {
      id: stage.id,
      title: stage.title,
      count,
      valueTotal: rounded(own.reduce((all, sum) => all + (sum.valueTotal ?? 0), 0)),
      currencyCode: own.find((sum) => sum.currencyCode !== null)?.currencyCode ?? currencyCode,
    };
    return [stage.isArchived ? { ...overview, archived: true } : overview];
  });
}

/** Whether something is in a stage that is not among these. */
export function isOutOf(stages: readonly KnownChoice[], sums: readonly StageSum[]): boolean {
  return sums.some(({ stage }) => stage !== null && stageOf(stages, stage) === undefined);
}

function stageOf(stages: readonly KnownChoice[], named: string | null): KnownChoice | undefined {
  const titled = stages.filter(({ title }) => title === named);
  return stages.find(({ id }) => id === named) ?? titled.find(({ isArchived }) => !isArchived) ?? titled[0];
}

/** Four decimal places are what Attio keeps. */
function rounded(sum: number): number {
  return Math.round(sum * 10_000) / 10_000;
}
