import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

const BAR_WIDTH = 32;
const COUNT = new Intl.NumberFormat('en');

/** Digits in groups: 2,000. */
export function count(value: number): string {
  return COUNT.format(value);
}

export function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** What the demo writes. Colours and moving bars on a terminal only; `NO_COLOR` is honoured. */
export class Screen {
  readonly #out: NodeJS.WriteStream;
  #scene = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  get isTerminal(): boolean {
    return this.#out.isTTY === true;
  }

  title(text: string): void {
    this.line(this.style('bold', text));
  }

  scene(text: string): void {
    this.#scene += 1;
    this.line('');
    this.line(this.style(['bold', 'cyan'], `${this.#scene}  ${text}`));
  }

  say(text: string): void {
    this.line(`   ${text}`);
  }

  /** A fact under what was said. */
  fact(name: string, text: string): void {
    this.line(`     ${this.style('dim', name.padEnd(8))} ${text}`);
  }

  /** @param note what there is to know about it */
  outcome(ok: boolean, text: string, note = ''): void {
    const mark = ok ? this.style('green', '✓') : this.style(['bold', 'red'], '✗ FAILED');
    this.line(`     ${mark} ${text}${note === '' ? '' : this.style('dim', ` (${note})`)}`);
  }

  progress(label: string, total: number): Progress {
    return new Progress(this, label, total);
  }

  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#out });
  }

  line(text: string): void {
    this.write(`${text}\n`);
  }

  /** As it is, for what moves. */
  write(text: string): void {
    this.#out.write(text);
  }
}

/** A bar that fills on a terminal; elsewhere a line at every quarter. */
class Progress {
  readonly #screen: Screen;
  readonly #label: string;
  readonly #total: number;
  #shown = 0;

  constructor(screen: Screen, label: string, total: number) {
    this.#screen = screen;
    this.#label = label;
    this.#total = total;
    if (screen.isTerminal) screen.write(this.#text(0));
  }

  update(done: number): void {
    if (done === this.#shown) return;
    if (this.#screen.isTerminal) this.#screen.write(`\r${this.#text(done)}`);
    else if (this.#quarters(done) > this.#quarters(this.#shown)) this.#screen.line(this.#text(done));
    this.#shown = done;
  }

  end(done: number): void {
    this.update(done);
    if (this.#screen.isTerminal) this.#screen.line('');
  }

  #quarters(done: number): number {
    return Math.floor((4 * done) / Math.max(1, this.#total));
  }

  #text(done: number): string {
    const full = Math.round((BAR_WIDTH * Math.min(done, this.#total)) / Math.max(1, this.#total));
    const bar = this.#screen.style('cyan', '█'.repeat(full)) + '░'.repeat(BAR_WIDTH - full);
    return `   ${this.#label.padEnd(10)} ${bar} ${count(done)} of ${count(this.#total)}`;
  }
}
