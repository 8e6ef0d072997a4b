import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { redisProgram } from './redis-program.ts';
import { freePort, until } from './service.ts';

/** A server of our own, to be treated badly. */
export class PrivateRedis {
  readonly #program: string;
  readonly #directory: string;
  readonly #port: number;
  #process: ChildProcess | null = null;

  private constructor(program: string, directory: string, port: number) {
    this.#program = program;
    this.#directory = directory;
    this.#port = port;
  }

  /** The same, not started yet. */
  static async prepare(): Promise<PrivateRedis> {
    const program = redisProgram();
    if (program === null) throw new Error('there is no redis-server on this machine');
    const directory = await mkdtemp(join(tmpdir(), 'attio-bridge-redis-'));
    return new PrivateRedis(program, directory, await freePort());
  }

  static async start(): Promise<PrivateRedis> {
    const server = await PrivateRedis.prepare();
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`;
  }

  /** On what it has saved, if anything. */
  async start(): Promise<void> {
    const options = ['--port', String(this.#port), '--bind', '127.0.0.1', '--dir', this.#directory];
    this.#process = spawn(this.#program, [...options, '--save', '', '--appendonly', 'no'], {
      stdio: 'ignore',
    });
    await until(() =>
      this.ask('PING').then(
        () => true,
        () => false,
      ),
    );
  }

  /** @param how `TERM`: as by an update; `KILL`: as by a crash */
  async stop(how: 'TERM' | 'KILL' = 'KILL'): Promise<void> {
    const server = this.#process;
    if (server === null) return;
    this.#process = null;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill(`SIG${how}`);
    await ended;
  }

  /** Stops answering, with all connections open. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  /** One command, by a connection of its own. */
  async ask(command: string, ...args: string[]): Promise<unknown> {
    const redis = new Redis(this.url, { lazyConnect: true, retryStrategy: null, connectTimeout: 1_000 });
    redis.on('error', () => {});
    try {
      await redis.connect();
      return await redis.call(command, ...args);
    } finally {
      redis.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop('KILL');
    await rm(this.#directory, { recursive: true, force: true });
  }
}
