import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { AppConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import { StorageUnavailableError } from '../domain/storage.ts';
import { InstanceLog } from '../monitoring/instance-events.ts';
import { InstanceLease } from '../services/instances/lease.ts';
import type { MaybeOwner } from '../store/claims.ts';
import type { Database } from '../store/database.ts';
import { InstancesStore } from '../store/instances.ts';
import { isPostgres } from '../store/postgres.ts';
import { PostgresNews } from '../store/postgres-news.ts';

/** What instances tell each other to look at. */
const TOPICS = ['inbox', 'outbox', 'automations', 'changes', 'runs', 'instances'] as const;
export type Topic = (typeof TOPICS)[number];

/** What is done when others have said so, and when it is with our own lease. */
export interface Reactions extends Readonly<Record<Topic, () => void>> {
  readonly lost: () => void;
  readonly held: () => void;
}

/** This process among those that share the database. */
export interface Instances {
  readonly owner: MaybeOwner;
  /** What is in hand here is in nobody else's. */
  isHeld(): boolean;
  /** No other instance is there just now. */
  isAlone(): Promise<boolean>;
  /** Tells the others, not ourselves. */
  publish(topic: Topic): void;
  /** To be called before the start. */
  react(reactions: Reactions): void;
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Deps {
  readonly config: AppConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly database: Database;
  /** So many have a lease, with this one. */
  readonly onPresent: (count: number) => void;
  readonly onError: (error: unknown) => void;
}

/** A SQLite file has one process. */
const ALONE: Instances = {
  owner: null,
  isHeld: () => true,
  isAlone: async () => true,
  publish() {},
  react() {},
  async start() {},
  async stop() {},
};

export function buildInstances(deps: Deps): Instances {
  return isPostgres(deps.database) ? onPostgres(deps) : ALONE;
}

function onPostgres({ config, clock, logger, database, onPresent, onError }: Deps): Instances {
  let reactions: Reactions | null = null;
  const log = new InstanceLog({ logger });
  const news = new PostgresNews<Topic>({
    url: config.database.url,
    settings: config.database,
    clock,
    topics: TOPICS,
    onNews: (topic) => reactions?.[topic](),
  });
  const store = new InstancesStore(database);
  const lease = new InstanceLease({
    store,
    clock,
    newId: randomUUID,
    options: config.instances,
    onLost() {
      log.lost();
      reactions?.lost();
    },
    onHeld: () => reactions?.held(),
    onPresent,
    onTakenOver(count) {
      log.takenOver(count);
      reactions?.instances();
      news.publish('instances');
    },
    onError(error) {
      // That the database is away is told elsewhere.
      if (!(error instanceof StorageUnavailableError)) onError(error);
    },
  });
  return {
    owner: lease,
    isHeld: () => lease.isHeld,
    isAlone: () => store.isAlone(lease.id),
    publish: (topic) => news.publish(topic),
    react(all) {
      reactions = all;
    },
    async start() {
      await lease.start();
      news.start();
    },
    async stop() {
      reactions = null;
      await lease.stop();
      news.publish('instances');
      await news.close();
    },
  };
}
