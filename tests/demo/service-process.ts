import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../src/index.ts', import.meta.url));
const READY_WITHIN_MS = 60_000;
/** The service itself stops within 10 s. */
const STOPS_WITHIN_MS = 12_000;
const SHOWN_LOG_LINES = 15;

/** What every process needs of its surroundings; nothing else of them reaches the service. */
const PASSED_ON = ['PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];

/** The service as it is run for real: a process of its own, with the environment it is given and no other. */
export class ServiceProcess {
  readonly logPath: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #killWithUs = () => this.#child.kill('SIGKILL');

  /** @param directory where it works and logs; a `.env` of the project is not read there */
  constructor(directory: string, env: Readonly<Record<string, string>>) {
    this.logPath = join(directory, 'service.log');
    const log = openSync(this.logPath, 'w');
    const surroundings = Object.fromEntries(
      PASSED_ON.flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value]];
      }),
    );
    this.#child = spawn(process.execPath, [ENTRY], {
      cwd: directory,
      env: { ...surroundings, ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#exited = once(this.#child, 'exit');
    this.#exited.catch(() => {}); // it could not be started: `ready` tells
    process.once('exit', this.#killWithUs);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** @throws when it ends, or takes too long */
  async ready(url: string): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS;
    while (performance.now() < deadline) {
      if (this.hasEnded) throw new Error(`the service has ended at its start:\n${this.logTail()}`);
      if (await isOk(`${url}/health/ready`)) return;
      await sleep(50);
    }
    throw new Error(`the service is not ready after ${READY_WITHIN_MS / 1000} s:\n${this.logTail()}`);
  }

  logTail(): string {
    const lines = readFileSync(this.logPath, 'utf8').trimEnd().split('\n');
    return lines.slice(-SHOWN_LOG_LINES).join('\n');
  }

  /** As an operator would, and by force when that does not help. */
  async stop(): Promise<void> {
    if (!this.hasEnded) {
      this.#child.kill('SIGTERM');
      const forced = setTimeout(this.#killWithUs, STOPS_WITHIN_MS);
      await this.#exited.catch(() => {});
      clearTimeout(forced);
    }
    process.off('exit', this.#killWithUs);
  }
}

function isOk(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}
