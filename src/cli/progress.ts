import { count, duration } from './io.ts';

const BAR_WIDTH = 24;
/** The rate is that of the latest while. */
const RATE_WINDOW_MS = 15_000;
/** Where nothing moves, how often a line says how far it is. */
const PLAIN_EVERY_MS = 3_000;

interface Sample {
  readonly atMs: number;
  readonly done: number;
}

/** How far something is, how fast it goes, and how long it will take: what there is to say at an instant. */
export class Pace {
  #samples: Sample[] = [];
  #total: number | null = null;

  /** @param total an estimate; null: unknown */
  setTotal(total: number | null): void {
    this.#total = total;
  }

  note(done: number, atMs: number): void {
    this.#samples.push({ done, atMs });
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? 0) < atMs - RATE_WINDOW_MS) {
      this.#samples.shift();
    }
  }

  get done(): number {
    return this.#samples.at(-1)?.done ?? 0;
  }

  /** Never less than what is done; null: unknown. */
  get total(): number | null {
    return this.#total === null ? null : Math.max(this.#total, this.done);
  }

  /** 0 to 1; an estimate never says that all is done. Null: unknown. */
  get share(): number | null {
    const { total } = this;
    return total === null ? null : Math.min(0.99, this.done / Math.max(1, total));
  }

  /** Null: nothing has moved yet. */
  get perSecond(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs === first.atMs) return null;
    const rate = ((last.done - first.done) * 1000) / (last.atMs - first.atMs);
    return rate > 0 ? rate : null;
  }

  /** Null: unknown, also where there is more than was thought. */
  get secondsLeft(): number | null {
    const { total, perSecond } = this;
    if (total === null || perSecond === null || total === this.done) return null;
    return (total - this.done) / perSecond;
  }
}

/** `████████░░░░`. @param share 0 to 1 */
export function bar(share: number, width: number = BAR_WIDTH): string {
  const full = Math.round(width * Math.min(1, Math.max(0, share)));
  return '█'.repeat(full) + '░'.repeat(width - full);
}

/** Shows a pace: on a terminal as a line that moves, elsewhere as a line now and then. */
export class ProgressLine {
  readonly #out: { write(text: string): unknown };
  readonly #moves: boolean;
  readonly #label: string;
  readonly pace = new Pace();
  #shownAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: { out: { write(text: string): unknown }; moves: boolean; label: string }) {
    this.#out = options.out;
    this.#moves = options.moves;
    this.#label = options.label;
  }

  update(done: number, nowMs: number): void {
    this.pace.note(done, nowMs);
    if (this.#moves) {
      this.#out.write(`\r${barText(this.#label, this.pace)}\u001b[K`);
    } else if (nowMs - this.#shownAtMs >= PLAIN_EVERY_MS) {
      this.#shownAtMs = nowMs;
      this.#out.write(`${plainText(this.#label, this.pace)}\n`);
    }
  }

  /** @param text in place of what moved */
  end(text: string): void {
    this.#out.write(this.#moves ? `\r${text}\u001b[K\n` : `${text}\n`);
  }
}

export function barText(label: string, pace: Pace): string {
  const { share } = pace;
  const name = label.padEnd(12);
  if (share === null) return `${name} ${amount(pace)}${trail(pace)}`;
  return `${name} ${bar(share)} ${percent(share).padStart(4)}  ${amount(pace)}${trail(pace)}`;
}

export function plainText(label: string, pace: Pace): string {
  const { share } = pace;
  return `${label}: ${amount(pace)}${share === null ? '' : ` (${percent(share)})`}${trail(pace)}`;
}

function amount({ done, total }: Pace): string {
  return total === null ? `${count(done)} seen` : `${count(done)} of about ${count(total)}`;
}

function trail({ perSecond, secondsLeft }: Pace): string {
  const rate = perSecond === null ? '' : `, ${count(Math.round(perSecond))}/s`;
  return rate + (secondsLeft === null ? '' : `, ${duration(secondsLeft)} left`);
}

function percent(share: number): string {
  return `${Math.floor(share * 100)}%`;
}
