import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { askPostgres } from './engines.ts';
import { freePort, until } from './service.ts';

const run = promisify(execFile);

/** Where the programs of a PostgreSQL server are on this machine; null when they are nowhere. */
export function serverPrograms(): string | null {
  const places = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    ...globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed(),
    ...globSync('/usr/pgsql-*/bin').toSorted().toReversed(),
    ...globSync('/opt/homebrew/opt/postgresql*/bin').toSorted().toReversed(),
  ];
  return (
    places.find((place) => ['initdb', 'postgres'].every((name) => existsSync(join(place, name)))) ?? null
  );
}

interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** A server of our own, to be treated badly. */
export class PrivatePostgres {
  readonly #programs: string;
  readonly #directory: string;
  readonly #account: Account;
  readonly #port: number;
  #process: ChildProcess | null = null;

  private constructor(programs: string, directory: string, account: Account, port: number) {
    this.#programs = programs;
    this.#directory = directory;
    this.#account = account;
    this.#port = port;
  }

  static async start(programs: string): Promise<PrivatePostgres> {
    const directory = await mkdtemp(join(tmpdir(), 'attio-bridge-postgres-'));
    // The server refuses to run as root; any account that there is will do.
    const account = process.getuid?.() === 0 ? await idsOf('nobody') : {};
    if (account.uid !== undefined) await chown(directory, account.uid, account.gid ?? 0);
    const data = join(directory, 'data');
    const options = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'];
    await run(join(programs, 'initdb'), options, { ...account, cwd: directory });
    const server = new PrivatePostgres(programs, directory, account, await freePort());
    await server.start();
    return server;
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.#port}/postgres`;
  }

  async start(): Promise<void> {
    const options = ['-D', join(this.#directory, 'data'), '-p', String(this.#port)];
    const settings = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];
    this.#process = spawn(join(this.#programs, 'postgres'), [...options, ...settings], {
      ...this.#account,
      cwd: this.#directory,
      stdio: 'ignore',
    });
    await until(() =>
      askPostgres(this.url, 'select 1').then(
        () => true,
        () => false,
      ),
    );
  }

  /** @param how `fast`: connections are ended, as by an update; `immediate`: as by a crash */
  async stop(how: 'fast' | 'immediate'): Promise<void> {
    const server = this.#process;
    if (server === null) return;
    this.#process = null;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('immediate');
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function idsOf(name: string): Promise<Account> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (what) => (await run('id', [what, name])).stdout),
  );
  return { uid: Number(uid), gid: Number(gid) };
}
