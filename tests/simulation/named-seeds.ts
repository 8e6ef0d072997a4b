export interface NamedSeed {
  readonly seed: number;
  /** Of the plan that found it; left out: as many as usual. */
  readonly steps?: number;
  /** What it found. */
  readonly found: string;
}

/**
 * Seeds that have found a fault of the product. A seed means another plan when the actions change; what it found has a
 * test of its own by then, and the seed stays as one more that is played each time.
 */
export const NAMED_SEEDS: readonly NamedSeed[] = [
  { seed: 24, found: 'a task for the address of a removed contact was made in Attio and was empty here' },
  { seed: 28, found: 'a note whose person was merged into a removed contact stayed here, empty' },
  { seed: 26, found: 'an entry that a full sync had found first stayed in the feed under its other id' },
  { seed: 2, found: 'a note whose webhook came before its answer was in the feed twice' },
  { seed: 58, found: 'a batch that was sent again after a crash, with its key, was made twice' },
  { seed: 77, found: 'an entry that was made anew was lost to late news of the one before' },
  {
    seed: 606,
    found: 'a task that had been made was a dead letter when its person was deleted before its answer',
  },
  {
    seed: 254,
    found:
      'the id of a record that was heard of only when it was gone did not lead to the survivor of its merge',
  },
];
