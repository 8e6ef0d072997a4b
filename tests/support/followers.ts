/**
 * Writers that write the mirror and its change feed as instances of the service do, and followers that read the feed as
 * internal systems do, all at once. A follower that skips or repeats anything does not end with what the table has.
 */
import { sql } from 'kysely';
import type { Change, NewChange } from '../../src/domain/changes.ts';
import type { MirroredRecord } from '../../src/domain/records.ts';
import { systemClock } from '../../src/queue/clock.ts';
import { ChangesService } from '../../src/services/changes.ts';
import { ChangesStore } from '../../src/store/changes.ts';
import { type Database, migrate, openDatabase, transaction } from '../../src/store/database.ts';
import { isPostgres } from '../../src/store/postgres.ts';
import { RecordsStore } from '../../src/store/records.ts';
import { seededRandom } from '../mocks/core/random.ts';

export interface FollowingOptions {
  /** Changes to be committed, at least. */
  readonly changes: number;
  readonly writers: number;
  readonly followers: number;
  readonly seed: number;
}

export interface Followed {
  /** Committed changes. */
  readonly changes: number;
  /** Transactions that were rolled back after they had numbered their changes. */
  readonly aborted: number;
  /** Places in the feed that nothing has: on PostgreSQL what was rolled back. */
  readonly holes: number;
  /** What is wrong, one line each. */
  readonly faults: readonly string[];
  readonly writeSeconds: number;
  /** Until the last follower had read all. */
  readonly followSeconds: number;
  /** One follower alone, on the feed that is written. */
  readonly aloneSeconds: number;
}

const RECORDS = 500;
const MOST_PER_TRANSACTION = 50;
const PAGE = 500;
const OBJECT = 'people';

/** Each writer and follower has a pool of its own, as separate instances have; a SQLite file has one process. */
class Instances {
  readonly #url: string;
  readonly #opened: Database[] = [];
  readonly #shared: Database | null;

  private constructor(url: string) {
    this.#url = url;
    this.#shared = url.startsWith('sqlite:') ? this.#open() : null;
  }

  static async of(url: string): Promise<Instances> {
    const instances = new Instances(url);
    await migrate(instances.next());
    return instances;
  }

  next(): Database {
    return this.#shared ?? this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#opened.map((database) => database.destroy()));
  }

  #open(): Database {
    const database = openDatabase(this.#url);
    this.#opened.push(database);
    return database;
  }
}

export async function follow(url: string, options: FollowingOptions): Promise<Followed> {
  await using instances = await Instances.of(url);
  const startedAt = performance.now();
  const progress = { committed: 0, aborted: 0, done: false };
  const following = Array.from({ length: options.followers }, () => {
    const follower = new Follower(instances.next());
    return { follower, ended: follower.run(progress) };
  });
  const writing = Array.from({ length: options.writers }, (_, index) =>
    write(instances.next(), { ...options, seed: options.seed * 1_000 + index, writer: index }, progress),
  );
  await Promise.all(writing);
  progress.done = true;
  const writeSeconds = seconds(startedAt);
  await Promise.all(following.map(({ ended }) => ended));
  const followSeconds = seconds(startedAt);
  const alone = new Follower(instances.next());
  const aloneAt = performance.now();
  await alone.run(progress);
  const aloneSeconds = seconds(aloneAt);
  const truth = await readTruth(instances.next());
  const faults = [alone, ...following.map(({ follower }) => follower)].flatMap((follower, index) =>
    follower.faults(truth).map((fault) => `follower ${index}: ${fault}`),
  );
  return {
    changes: truth.seqs.length,
    aborted: progress.aborted,
    holes: (truth.seqs.at(-1) ?? 0) - truth.seqs.length,
    faults,
    writeSeconds,
    followSeconds,
    aloneSeconds,
  };
}

/** What has to come out: the table, and the places of all that was committed. */
interface Truth {
  readonly table: ReadonlyMap<string, string>;
  readonly seqs: readonly number[];
}

export async function readTruth(database: Database): Promise<Truth> {
  const records = await database
    .selectFrom('record')
    .select(['record_id', 'values_json'])
    .where('deleted_at', 'is', null)
    .execute();
  const changes = await database.selectFrom('change').select('seq').orderBy('seq').execute();
  return {
    table: new Map(records.map((row) => [row.record_id, row.values_json])),
    seqs: changes.map(({ seq }) => seq),
  };
}

export class Follower {
  readonly #changes: ChangesService;
  readonly #fold = new Map<string, string>();
  readonly #seqs: number[] = [];

  constructor(database: Database) {
    this.#changes = new ChangesService({ changes: new ChangesStore(database), clock: systemClock() });
  }

  /** Follows from the start until nothing more comes. */
  async run(progress: { readonly done: boolean }): Promise<void> {
    let after: number | null = null;
    const { signal } = new AbortController();
    for (;;) {
      const isLast = progress.done;
      const { rows, next } = await this.#changes.read({ after, limit: PAGE, waitMs: 0, signal });
      for (const change of rows) this.#take(change);
      after = next;
      if (isLast && rows.length === 0) return;
      if (rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** Resolves when it has been told of so many changes. */
  async hasSeen(count: number): Promise<void> {
    while (this.#seqs.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  faults({ table, seqs }: Truth): string[] {
    const seen = new Set(this.#seqs);
    const skipped = seqs.filter((seq) => !seen.has(seq)).length;
    const wrong = [...new Set([...table.keys(), ...this.#fold.keys()])].filter(
      (id) => table.get(id) !== this.#fold.get(id),
    );
    return [
      ...(skipped === 0 ? [] : [`skipped ${skipped} changes`]),
      ...(seen.size === this.#seqs.length ? [] : ['was told of a change twice']),
      ...(this.#seqs.every((seq, index) => index === 0 || seq > (this.#seqs[index - 1] ?? 0))
        ? []
        : ['was told of changes out of order']),
      ...(wrong.length === 0 ? [] : [`has ${wrong.length} records that are not as in the table`]),
    ];
  }

  #take({ seq, type, id, data }: Change): void {
    this.#seqs.push(seq);
    if (type === 'record.deleted') this.#fold.delete(id);
    else this.#fold.set(id, JSON.stringify(data['values']));
  }
}

class Abort extends Error {}

/**
 * Commits transactions of 1 to 50 changes until there are enough. One in ten is rolled back after its changes are
 * numbered; one in ten is held open then, so that whoever could overtake it does.
 */
async function write(
  database: Database,
  options: FollowingOptions & { readonly writer: number },
  progress: { committed: number; aborted: number },
): Promise<void> {
  const random = seededRandom(options.seed);
  for (let turn = 0; progress.committed < options.changes; turn += 1) {
    const edits = editsOf(random, `${options.writer}.${turn}`);
    const fate = random();
    try {
      await transaction(database, async (tx) => {
        await new RecordsStore(tx).upsert(edits.map(recordOf));
        await new ChangesStore(tx).append(edits.map(changeOf));
        if (fate < 0.1) throw new Abort();
        if (fate < 0.2 && isPostgres(database)) await sql`select pg_sleep(0.005)`.execute(tx);
      });
      progress.committed += edits.length;
    } catch (error) {
      if (!(error instanceof Abort)) throw error;
      progress.aborted += 1;
    }
  }
}

interface Edit {
  readonly id: string;
  readonly isDeleted: boolean;
  readonly value: string;
}

/** One of each record, in the order of their ids: whoever locks rows does so in the same order. */
function editsOf(random: () => number, name: string): Edit[] {
  const count = 1 + Math.floor(random() * MOST_PER_TRANSACTION);
  const edits = Array.from({ length: count }, (_, index) => ({
    id: `record-${String(Math.floor(random() * RECORDS)).padStart(3, '0')}`,
    isDeleted: random() < 0.1,
    value: `${name}.${index}`,
  }));
  const latest = new Map(edits.map((edit) => [edit.id, edit]));
  return [...latest.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

const AT = '2026-01-01T00:00:00.000Z';

function valuesOf({ value }: Edit) {
  return { title: [{ value }] };
}

function recordOf(edit: Edit): MirroredRecord {
  return {
    object: OBJECT,
    recordId: edit.id,
    createdAt: AT,
    webUrl: null,
    values: valuesOf(edit),
    readAt: AT,
    hash: edit.value,
    deletedAt: edit.isDeleted ? AT : null,
    mergedInto: null,
    hidden: false,
  };
}

function changeOf(edit: Edit): NewChange {
  return {
    type: edit.isDeleted ? 'record.deleted' : 'record.updated',
    object: OBJECT,
    id: edit.id,
    source: 'attio',
    changed: ['title'],
    at: AT,
    data: { values: valuesOf(edit) },
  };
}

function seconds(since: number): number {
  return (performance.now() - since) / 1_000;
}
