import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { StorageUnavailableError } from '../domain/storage.ts';
import { SharedFlush } from './shared-flush.ts';

/** Pages of the log that are to be brought into the file: 64 MB. */
const CHECKPOINT_PAGES = 16_000;
/** What is written while the thread works is its next task, or if it is no more than this, its last: nobody writes meanwhile. */
const FEW_PAGES = 100;
const MOST_TASKS = 5;

/** Does work while nobody writes. */
export type Alone = (work: () => Promise<void>) => Promise<void>;

type LogFile = Pick<FileHandle, 'datasync' | 'close'>;

/**
 * Keeps SQLite's write-ahead log on the disk without holding up the event loop, on which SQLite would wait for the disk
 * at every commit, and for many pages at every thousandth.
 *
 * Commits leave their flush to this: those that come together share one. What is flushed is the log up to its end, so
 * whatever a commit builds on is on the disk as well. What has gathered is brought into the file by a thread.
 */
export class SqliteLog {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #open: (path: string) => Promise<LogFile>;
  readonly #flush = new SharedFlush(() => this.#flushOnce());
  #file: LogFile | null = null;
  #isSuspect = false;
  #thread: Worker | null = null;
  #checkpoint: Promise<void> | null = null;
  #alone: Alone = (work) => work();

  /** @param path of the database file */
  constructor(
    database: DatabaseSync,
    path: string,
    openLog: (path: string) => Promise<LogFile> = (path) => open(path, 'r'),
  ) {
    this.#database = database;
    this.#path = path;
    this.#open = openLog;
    database.exec('pragma wal_autocheckpoint = 0');
  }

  /** Commits may leave their flush to `flushed`. Not at first: SQLite itself then syncs the log and its directory. */
  get isOpen(): boolean {
    return this.#file !== null && !this.#isSuspect;
  }

  /** Says how what writes is held back. */
  holdBy(alone: Alone): void {
    this.#alone = alone;
  }

  /** Resolves when all that was committed before this call is on the disk. @throws StorageUnavailableError when it may not be */
  flushed(): Promise<void> {
    return this.#flush.wait();
  }

  /** Brings all into the file and empties the log. @returns whether nobody was in the way */
  async empty(): Promise<boolean> {
    await this.#checkpoint;
    return !this.#ask('truncate').isBusy;
  }

  async close(): Promise<void> {
    await this.#checkpoint;
    await Promise.all([this.#thread?.terminate(), this.#file?.close()]);
  }

  async #flushOnce(): Promise<void> {
    try {
      if (this.#isSuspect) await this.#recover();
      else if (this.#file !== null) await this.#file.datasync();
      else if (this.#database.isOpen) this.#file = await this.#open(`${this.#path}-wal`);
    } catch (cause) {
      // After a flush that failed the next one succeeds, though what could not be written is not there.
      this.#isSuspect = true;
      throw new StorageUnavailableError('the database could not be flushed to the disk', { cause });
    }
    this.#checkpoint ??= this.#checkpointBeside().finally(() => {
      this.#checkpoint = null;
    });
  }

  async #recover(): Promise<void> {
    if (!(await this.empty())) throw new Error('the write-ahead log could not be brought into the file');
    this.#isSuspect = false;
  }

  /** Never rejects: what is not brought in now is the next time. */
  async #checkpointBeside(): Promise<void> {
    try {
      if (this.#ask('noop').waiting < CHECKPOINT_PAGES) return;
      const thread = this.#thread ?? new Worker(new URL('./checkpoint-worker.ts', import.meta.url));
      this.#thread = thread;
      for (let task = 0; task < MOST_TASKS && this.#ask('noop').waiting > FEW_PAGES; task += 1) {
        await answerOf(thread, this.#path);
      }
      // With nothing left to bring in, the log begins anew. The event loop goes on while the disk is waited for.
      if (this.#ask('noop').waiting > 0) await this.#alone(() => answerOf(thread, this.#path));
    } catch {
      // It has died, or there was no turn for it: the next time has a new one.
      void this.#thread?.terminate();
      this.#thread = null;
    }
  }

  #ask(mode: 'noop' | 'truncate'): { isBusy: boolean; pages: number; waiting: number } {
    if (!this.#database.isOpen) return { isBusy: true, pages: 0, waiting: 0 };
    const row = this.#database.prepare(`pragma wal_checkpoint(${mode})`).get();
    const pages = Number(row?.['log']);
    return { isBusy: row?.['busy'] !== 0, pages, waiting: pages - Number(row?.['checkpointed']) };
  }
}

/** @throws when the thread dies */
async function answerOf(thread: Worker, path: string): Promise<void> {
  const answered = once(thread, 'message');
  thread.ref();
  thread.postMessage(path);
  await answered;
  thread.unref();
}
