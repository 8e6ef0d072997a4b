import { BatchesStore } from './batches.ts';
import { ChangesStore } from './changes.ts';
import type { MaybeOwner } from './claims.ts';
import { ConflictsStore } from './conflicts.ts';
import { type Database, type Handle, transaction } from './database.ts';
import { EchoesStore } from './echoes.ts';
import { EntitiesStore } from './entities.ts';
import { ErasureStore } from './erasure.ts';
import { ItemsStore } from './items.ts';
import { OutboxStore } from './outbox.ts';
import { RecordsStore } from './records.ts';
import { SyncRunsStore } from './sync-runs.ts';

interface Aggregates {
  readonly records: RecordsStore;
  readonly entities: EntitiesStore;
  readonly changes: ChangesStore;
  readonly runs: SyncRunsStore;
  readonly outbox: OutboxStore;
  readonly conflicts: ConflictsStore;
  readonly batches: BatchesStore;
  readonly erasure: ErasureStore;
  readonly items: ItemsStore;
  readonly echoes: EchoesStore;
}

/** The aggregates that change together, and the way to change them in one transaction. */
export class MirrorStore implements Aggregates {
  readonly #db: Database;
  readonly #owner: MaybeOwner;
  readonly records: RecordsStore;
  readonly entities: EntitiesStore;
  readonly changes: ChangesStore;
  readonly runs: SyncRunsStore;
  readonly outbox: OutboxStore;
  readonly conflicts: ConflictsStore;
  readonly batches: BatchesStore;
  readonly erasure: ErasureStore;
  readonly items: ItemsStore;
  readonly echoes: EchoesStore;

  constructor(db: Database, owner: MaybeOwner = null) {
    this.#db = db;
    this.#owner = owner;
    const stores = aggregates(db, owner);
    this.records = stores.records;
    this.entities = stores.entities;
    this.changes = stores.changes;
    this.runs = stores.runs;
    this.outbox = stores.outbox;
    this.conflicts = stores.conflicts;
    this.batches = stores.batches;
    this.erasure = stores.erasure;
    this.items = stores.items;
    this.echoes = stores.echoes;
  }

  /** All or nothing. Nothing but the given stores may be awaited inside: there is one writer. */
  async transaction<T>(work: (stores: Aggregates) => Promise<T>): Promise<T> {
    return transaction(this.#db, (tx) => work(aggregates(tx, this.#owner)));
  }
}

function aggregates(db: Handle, owner: MaybeOwner): Aggregates {
  return {
    records: new RecordsStore(db),
    entities: new EntitiesStore(db),
    changes: new ChangesStore(db),
    runs: new SyncRunsStore(db, owner),
    outbox: new OutboxStore(db, owner),
    conflicts: new ConflictsStore(db),
    batches: new BatchesStore(db),
    erasure: new ErasureStore(db),
    items: new ItemsStore(db),
    echoes: new EchoesStore(db),
  };
}
