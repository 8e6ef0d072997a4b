import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from '../../support/service.ts';

const PROBE = fileURLToPath(new URL('./usage-probe.mjs', import.meta.url));

/** How long an asked process may take to answer: it does when its event loop is free. */
const ANSWER_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 20_000;

/** What a process has used since it was started; all its threads count. */
export interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly peakRssBytes: number;
}

export interface ProcessOptions {
  readonly script: URL;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Of Node, such as `--cpu-prof`. */
  readonly nodeArgs?: readonly string[];
}

/** A program in a process of its own, so that what it uses is told apart from what loads it and what it asks. */
export class MeasuredProcess {
  readonly #child: ChildProcess;
  readonly #answers = new Map<number, (usage: Usage) => void>();
  readonly exited: Promise<number | null>;
  #asked = 0;
  /** What it has said on standard error. */
  errors = '';
  output = '';

  constructor({ script, args = [], env = {}, nodeArgs = [] }: ProcessOptions) {
    this.#child = spawn(process.execPath, ['--import', PROBE, ...nodeArgs, fileURLToPath(script), ...args], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.exited = new Promise((resolve) => this.#child.once('close', (code) => resolve(code)));
    this.#child.on('message', (message: { id: number; usage: Usage }) => {
      this.#answers.get(message.id)?.(message.usage);
      this.#answers.delete(message.id);
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output = (this.output + text).slice(-10_000);
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors = (this.errors + text).slice(-10_000);
    });
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async usage(): Promise<Usage> {
    this.#asked += 1;
    const answer = Promise.withResolvers<Usage>();
    this.#answers.set(this.#asked, answer.resolve);
    this.#child.send(this.#asked, (error) => error && answer.reject(error));
    const limit = setTimeout(
      () => answer.reject(new Error('a process did not tell its usage')),
      ANSWER_LIMIT_MS,
    );
    try {
      return await answer.promise;
    } finally {
      clearTimeout(limit);
    }
  }

  /** Resolves when a GET is answered with 200. */
  async answers(url: string, everyMs = 25): Promise<void> {
    await until(
      async () => {
        if (this.hasEnded) throw new Error(`a process has ended before it was ready: ${this.errors}`);
        return fetch(url).then(
          (response) => response.arrayBuffer().then(() => response.ok),
          () => false,
        );
      },
      STOP_LIMIT_MS * 15,
      everyMs,
    );
  }

  /** As an operator stops it; by force, when that takes too long. */
  async stop(): Promise<void> {
    const force = setTimeout(() => this.#child.kill('SIGKILL'), STOP_LIMIT_MS);
    this.#child.kill('SIGTERM');
    await this.exited;
    clearTimeout(force);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
