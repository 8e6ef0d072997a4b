/**
 * What is counted in every request. prom-client checks, sorts and joins the labels of each count; here they are looked
 * at when they are met first, and at a scrape.
 */
import { Counter, type Registry } from 'prom-client';

type Label = string | number;
type Labels<L extends string> = Readonly<Record<L, Label>>;

/** A thing for each set of labels: a tree by one label after the other, so that finding it makes nothing. */
class Branch<T> {
  readonly #branches = new Map<Label, Branch<T>>();
  leaf: T | null = null;

  at<L extends string>(names: readonly L[], labels: Labels<L>): Branch<T> {
    let branch: Branch<T> = this;
    for (const name of names) branch = branch.#to(labels[name]);
    return branch;
  }

  #to(label: Label): Branch<T> {
    const known = this.#branches.get(label);
    if (known !== undefined) return known;
    const branch = new Branch<T>();
    this.#branches.set(label, branch);
    return branch;
  }
}

interface Tally<L extends string> {
  readonly labels: Labels<L>;
  count: number;
}

export class TalliedCounter<L extends string> {
  readonly #names: readonly L[];
  readonly #root = new Branch<Tally<L>>();
  readonly #tallies: Tally<L>[] = [];

  constructor(options: { name: string; help: string; labelNames: readonly L[]; registry: Registry }) {
    const { registry, ...rest } = options;
    const tallies = this.#tallies;
    this.#names = options.labelNames;
    new Counter({
      ...rest,
      registers: [registry],
      collect() {
        for (const tally of tallies) {
          this.inc(tally.labels, tally.count);
          tally.count = 0;
        }
      },
    });
  }

  inc(labels: Labels<L>, by = 1): void {
    const branch = this.#root.at(this.#names, labels);
    if (branch.leaf === null) {
      branch.leaf = { labels, count: 0 };
      this.#tallies.push(branch.leaf);
    }
    branch.leaf.count += by;
  }
}

interface Times<L extends string> {
  readonly labels: Labels<L>;
  /** Up to each bound, and beyond the last. */
  readonly counts: Float64Array;
  sum: number;
}

/** A histogram that tells its text itself. */
export class TalliedHistogram<L extends string> {
  readonly #options: {
    readonly name: string;
    readonly help: string;
    readonly labelNames: readonly L[];
    readonly bounds: readonly number[];
  };
  readonly #root = new Branch<Times<L>>();
  readonly #all: Times<L>[] = [];

  constructor(options: { name: string; help: string; labelNames: readonly L[]; bounds: readonly number[] }) {
    this.#options = options;
  }

  observe(labels: Labels<L>, value: number): void {
    const { labelNames, bounds } = this.#options;
    const branch = this.#root.at(labelNames, labels);
    if (branch.leaf === null) {
      branch.leaf = { labels, counts: new Float64Array(bounds.length + 1), sum: 0 };
      this.#all.push(branch.leaf);
    }
    const times = branch.leaf;
    let place = 0;
    while (value > (bounds[place] ?? Number.POSITIVE_INFINITY)) place += 1;
    times.counts[place] = (times.counts[place] ?? 0) + 1;
    times.sum += value;
  }

  /** In Prometheus' text format. */
  text(): string {
    const { name, help, labelNames, bounds } = this.#options;
    const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
    for (const { labels, counts, sum } of this.#all) {
      const shown = labelNames.map((label) => `${label}=${JSON.stringify(String(labels[label]))}`).join();
      let count = 0;
      for (const [place, more] of counts.entries()) {
        count += more;
        lines.push(`${name}_bucket{le="${bounds[place] ?? '+Inf'}",${shown}} ${count}`);
      }
      lines.push(`${name}_sum{${shown}} ${sum}`, `${name}_count{${shown}} ${count}`);
    }
    return `${lines.join('\n')}\n`;
  }
}
