import { createHash, randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Clock } from '../domain/clock.ts';
import { postgresDriver } from './postgres-driver.ts';
import type { PoolSettings } from './postgres-pool.ts';

export interface NewsDeps<T extends string> {
  readonly url: string;
  readonly settings: PoolSettings;
  readonly clock: Clock;
  readonly topics: readonly T[];
  /** Another instance has said so, or may have while nobody could be heard. */
  readonly onNews: (topic: T) => void;
}

/** News of one topic that come closer together are one. */
const GATHER_MS = 20;
/** A connection that says nothing is asked whether it is still there. */
const PING_EVERY_MS = 10_000;
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 5_000;
/** A connection may take this long to end. */
const END_MS = 1_000;

/**
 * What instances on one PostgreSQL database tell each other, by LISTEN and NOTIFY on a connection of its own.
 *
 * Only that there is something to look at; what it is stands in the tables. So news may be lost, and may be told twice.
 * They are sent outside of transactions, after the commit: within, the server would let commits pass one by one.
 */
export class PostgresNews<T extends string> {
  readonly #deps: NewsDeps<T>;
  /** By this we know our own. */
  readonly #me = randomUUID();
  readonly #closed = new AbortController();
  readonly #unsent = new Set<T>();
  #client: pg.Client | null = null;
  #channel = '';
  #listening: Promise<void> | null = null;
  #sending: Promise<void> | null = null;

  constructor(deps: NewsDeps<T>) {
    this.#deps = deps;
  }

  start(): void {
    this.#listening ??= this.#listen();
  }

  /** Tells the others, soon. What cannot be told now is told when the database is back. */
  publish(topic: T): void {
    this.#unsent.add(topic);
    this.#sending ??= this.#send().finally(() => {
      this.#sending = null;
    });
  }

  /** What was published is told first, if the database is there. */
  async close(): Promise<void> {
    await this.#flush().catch(() => {});
    this.#closed.abort();
    await this.#sending;
    await this.#listening;
  }

  async #send(): Promise<void> {
    const { signal } = this.#closed;
    while (this.#unsent.size > 0 && this.#client !== null && !signal.aborted) {
      await this.#flush().catch(() => {}); // the connection: the next one sends it
      await this.#deps.clock.sleep(GATHER_MS, signal).catch(() => {});
    }
  }

  async #flush(): Promise<void> {
    const client = this.#client;
    const topics = [...this.#unsent];
    if (client === null || topics.length === 0) return;
    this.#unsent.clear();
    try {
      await client.query('select pg_notify($1, $2)', [this.#channel, `${this.#me} ${topics.join(' ')}`]);
    } catch (error) {
      for (const topic of topics) this.#unsent.add(topic);
      throw error;
    }
  }

  async #listen(): Promise<void> {
    const { clock } = this.#deps;
    const { signal } = this.#closed;
    for (let waitMs = FIRST_RETRY_MS; !signal.aborted; waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
      const client = this.#newClient();
      const ended = new AbortController();
      for (const event of ['error', 'end'] as const) client.on(event, () => ended.abort());
      try {
        await this.#open(client);
        waitMs = FIRST_RETRY_MS;
        await this.#stay(client, AbortSignal.any([signal, ended.signal]));
      } catch {
        // The database is away: that is told elsewhere.
      }
      this.#client = null;
      await Promise.race([client.end().catch(() => {}), clock.sleep(END_MS)]);
      await clock.sleep(waitMs, signal).catch(() => {});
    }
  }

  #newClient(): pg.Client {
    const { url, settings } = this.#deps;
    const { Client } = postgresDriver();
    return new Client({
      connectionString: url,
      fallback_application_name: 'attio-bridge news',
      connectionTimeoutMillis: settings.connectTimeoutMs,
      query_timeout: settings.statementTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: settings.keepAliveDelayMs,
    });
  }

  async #open(client: pg.Client): Promise<void> {
    await client.connect();
    const { rows } = await client.query<{ schema: string }>('select current_schema() as schema');
    this.#channel = channelOf(rows[0]?.schema ?? '');
    client.on('notification', ({ payload = '' }) => this.#hear(payload));
    await client.query(`listen ${this.#channel}`);
    this.#client = client;
    // Nobody could tell us anything until now.
    for (const topic of this.#deps.topics) this.#deps.onNews(topic);
    const [unsent] = this.#unsent;
    if (unsent !== undefined) this.publish(unsent);
  }

  /** Resolves when the connection has ended. @throws when it is of no use */
  async #stay(client: pg.Client, over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await this.#deps.clock.sleep(PING_EVERY_MS, over).catch(() => {});
      if (!over.aborted) await client.query('select 1');
    }
  }

  #hear(payload: string): void {
    const [from, ...topics] = payload.split(' ');
    if (from === this.#me) return;
    for (const topic of this.#deps.topics) if (topics.includes(topic)) this.#deps.onNews(topic);
  }
}

/** Channels are of the whole database; several of us may share it, each in a schema of its own. */
function channelOf(schema: string): string {
  return `attio_bridge_${createHash('sha256').update(schema).digest('hex').slice(0, 16)}`;
}
