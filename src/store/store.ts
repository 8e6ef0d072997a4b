import { ChangesStore } from './changes.ts';
import { type Database, type Handle, transaction } from './database.ts';
import { EntitiesStore } from './entities.ts';
import { RecordsStore } from './records.ts';
import { SyncRunsStore } from './sync-runs.ts';

interface Aggregates {
  readonly records: RecordsStore;
  readonly entities: EntitiesStore;
  readonly changes: ChangesStore;
  readonly runs: SyncRunsStore;
}

/** The aggregates that change together, and the way to change them in one transaction. */
export class MirrorStore implements Aggregates {
  readonly #db: Database;
  readonly records: RecordsStore;
  readonly entities: EntitiesStore;
  readonly changes: ChangesStore;
  readonly runs: SyncRunsStore;

  constructor(db: Database) {
    this.#db = db;
    const { records, entities, changes, runs } = aggregates(db);
    this.records = records;
    this.entities = entities;
    this.changes = changes;
    this.runs = runs;
  }

  /** All or nothing. Nothing but the given stores may be awaited inside: there is one writer. */
  async transaction<T>(work: (stores: Aggregates) => Promise<T>): Promise<T> {
    return transaction(this.#db, (tx) => work(aggregates(tx)));
  }
}

function aggregates(db: Handle): Aggregates {
  return {
    records: new RecordsStore(db),
    entities: new EntitiesStore(db),
    changes: new ChangesStore(db),
    runs: new SyncRunsStore(db),
  };
}
