import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceProcess, WITH_SHORT_LEASE } from '../../support/process.ts';

const RESTART_AFTER_MS = 1_000;

/** One that is started again whenever it ends, as containers are. */
export class Instance {
  readonly url: string;
  readonly #env: Readonly<Record<string, string>>;
  #child: ServiceProcess;
  #isPaused = false;
  #isOver = false;
  #killed = 0;
  #ends = 0;
  /** What it has logged, of all its lives. */
  log = '';

  constructor(port: number, env: Readonly<Record<string, string>>) {
    this.url = `http://127.0.0.1:${port}`;
    this.#env = { ...env, PORT: String(port) };
    this.#child = this.#begin();
  }

  #begin(): ServiceProcess {
    const child = new ServiceProcess(this.#env, WITH_SHORT_LEASE);
    void child.exited.then(async () => {
      this.log += child.output;
      this.#ends += 1;
      await sleep(RESTART_AFTER_MS);
      if (!this.#isOver) this.#child = this.#begin();
    });
    return child;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** How often it has ended without being killed, as one does that finds no database at its start. */
  get endedByItself(): number {
    return this.#ends - this.#killed;
  }

  ready(): Promise<void> {
    return this.#child.ready(this.url);
  }

  async kill(): Promise<void> {
    this.#killed += 1;
    await this.#child.kill();
  }

  async pause(ms: number): Promise<void> {
    const child = this.#child;
    this.#isPaused = true;
    child.signal('SIGSTOP');
    await sleep(ms);
    child.signal('SIGCONT');
    this.#isPaused = false;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.kill();
  }
}
