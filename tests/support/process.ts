import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { until } from './service.ts';
import { NODE_OPTIONS, SCRIPT } from './start-command.ts';

const ENTRY = fileURLToPath(new URL(`../../${SCRIPT}`, import.meta.url));

/** In place of it: what a killed one had in hand is free soon. */
export const WITH_SHORT_LEASE = [fileURLToPath(new URL('./leased-process.ts', import.meta.url))];

/** The service as operations run it: a process of its own. */
export class ServiceProcess {
  readonly #child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  output = '';

  /** @param script with its arguments */
  constructor(env: Readonly<Record<string, string>>, script: readonly string[] = [...NODE_OPTIONS, ENTRY]) {
    this.#child = spawn(process.execPath, script, { env: { ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => resolve({ code, signal }));
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
  }

  async ready(url: string): Promise<void> {
    await until(async () => {
      if (this.#child.exitCode !== null) throw new Error(`the service has ended: ${this.output}`);
      return fetch(`${url}/health/ready`).then(
        (response) => response.ok,
        () => false,
      );
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** As a power cut would end it. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exited;
  }
}
