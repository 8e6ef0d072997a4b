import { type App, createApp } from '../../src/app.ts';
import type { AppConfig } from '../../src/config.ts';
import { createLogger } from '../../src/monitoring/logger.ts';
import { openFenced } from './fenced-database.ts';
import { Gate } from './gate.ts';
import { session } from './globals.ts';
import { attioFetch, type HttpAnswer, type HttpRequest, type Listener, type Wire } from './network.ts';
import type { Witness } from './witness.ts';

export interface LifeOptions {
  /** From 1. */
  readonly number: number;
  readonly config: AppConfig;
  readonly databasePath: string;
  readonly witness: Witness;
  readonly wire: Wire;
  readonly random: () => number;
  readonly newId: () => string;
  readonly databaseMs: () => number;
  /** Lines of the log. */
  readonly onLog: (line: string) => void;
}

/** One process of the service, from its start to its end: stopped, or crashed. */
export class Life implements Listener {
  readonly gate: Gate;
  readonly #app: App;
  /** Whether connections are taken. */
  #isListening = false;
  #started: Promise<unknown> = Promise.resolve();
  readonly #stopped = Promise.withResolvers<void>();
  #isStopping = false;

  constructor(options: LifeOptions) {
    const { number, config, databasePath, witness, wire, random, newId, databaseMs, onLog } = options;
    this.gate = new Gate({ time: session.time, databaseMs });
    session.time.begin(this);
    this.#app = createApp(config, {
      fetch: attioFetch({ wire, witness, life: number, gate: this.gate }),
      random,
      newId,
      logger: createLogger({ name: 'simulated', level: 'warn', destination: { write: onLog } }),
      database: openFenced(databasePath, this.gate),
    });
    // No socket: requests are handed in.
    this.#app.http.listen = (async () => {
      await this.#app.http.ready();
      this.#isListening = true;
      return 'nowhere';
    }) as App['http']['listen'];
    void this.gate.crashed.then(() => session.time.end(this));
  }

  /** Begins to start. What is read from disk meanwhile takes no time. */
  async start(): Promise<void> {
    await session.time.hold(Promise.resolve(this.#app.http.ready()));
    this.#started = this.#app.start();
  }

  get isListening(): boolean {
    return this.#isListening && !this.gate.isDead;
  }

  /** Resolves when the life is over, however it ends. */
  get ended(): Promise<'killed' | 'stopped'> {
    const killed = this.gate.crashed.then(() => 'killed' as const);
    return Promise.race([killed, this.#stopped.promise.then(() => 'stopped' as const)]);
  }

  /** @throws when the life ends before it has answered */
  async answer({ method, path, headers, body }: HttpRequest): Promise<HttpAnswer> {
    const answered = this.#app.http.inject({
      method,
      url: path,
      headers: { ...headers },
      ...(body === null ? {} : { payload: body }),
    });
    const lost = this.gate.crashed.then(() => null);
    const answer = await Promise.race([answered, lost]);
    if (answer === null) throw new Error('the connection was lost');
    return { status: answer.statusCode, body: answer.body };
  }

  /** Ends it as SIGTERM does. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    await this.#started;
    await this.#app.stop();
    this.#isListening = false;
    session.time.end(this);
    this.#stopped.resolve();
  }
}
