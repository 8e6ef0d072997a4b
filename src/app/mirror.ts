import { PacedBatcher } from '../queue/paced-batcher.ts';
import { ChangesService } from '../services/changes.ts';
import { EchoLedger } from '../services/echoes/ledger.ts';
import { isOutage } from '../services/errors.ts';
import { ItemApply } from '../services/items/apply.ts';
import { Dependents } from '../services/items/dependents.ts';
import { ItemGone } from '../services/items/gone.ts';
import { MirroredLists } from '../services/items/mirrored-lists.ts';
import { ItemRefresh } from '../services/items/refresh.ts';
import { AttioItemSource } from '../services/items/source.ts';
import { CommentsOnDemand } from '../services/items/threads.ts';
import { LookService } from '../services/outbox/look.ts';
import type { BatcherFactory } from '../services/ports.ts';
import { ApplyService } from '../services/sync/apply.ts';
import { FullSync } from '../services/sync/full-sync.ts';
import { GoneService } from '../services/sync/gone.ts';
import { entityKindOf, Mapping } from '../services/sync/mapping.ts';
import { Redraw } from '../services/sync/redraw.ts';
import { RefreshService } from '../services/sync/refresh.ts';
import { Repairs } from '../services/sync/repairs.ts';
import { AttioRecordSource } from '../services/sync/source.ts';
import { ACTIVITY_RUNS, SyncTargets } from '../services/sync/target.ts';
import { SyncService } from '../services/sync.ts';
import type { WorkspaceGuard } from '../services/workspace.ts';
import { DefinitionsStore } from '../store/definitions.ts';
import { isPostgres } from '../store/postgres.ts';
import { TableStatistics } from '../store/statistics.ts';
import type { AttioParts } from './attio.ts';
import type { Base } from './base.ts';

/** Items per look: most are asked for one by one. */
const LOOK_BATCH = 100;

/**
 * Records that webhooks have named and that are read at once, rather than with what the rest of a second brings. A read of
 * a few hundred holds deliveries up for longer than they should be, and saves next to nothing of Attio's 100 a second.
 */
const RECORDS_WORTH_A_READ = 100;

/** Records per look before a write: the filter names each of them. */
const KEY_LOOK_BATCH = 50;

/** What keeps the local database equal to Attio. */
export function buildMirror(
  base: Base,
  attio: AttioParts,
  workspace: WorkspaceGuard,
  onWriteStored: () => void,
) {
  const { config, clock, events, store } = base;
  const mapping = new Mapping({ dealKey: config.deals.externalIdAttribute, mappings: config.mapping });
  const repairs = new Repairs({ mapping, schema: attio.schema, clock, onStored: onWriteStored });
  const changes = new ChangesService({ changes: store.changes, clock });
  const statistics = new TableStatistics(base.database, clock);
  const tellFollowers = () => {
    changes.notify();
    statistics.written();
    base.instances.publish('changes');
  };
  const onCommitted = (_object: string, recordIds: readonly string[]) => {
    for (const id of recordIds) attio.records.forget(id);
    tellFollowers();
    repairs.committed();
  };
  const batcher =
    (maxBatch: number, enough = maxBatch): BatcherFactory =>
    (run) =>
      new PacedBatcher({
        run,
        clock,
        intervalMs: config.inbox.coalesceMs,
        maxBatch,
        enough,
        maxWaiting: 2 * config.inbox.window,
      });
  const echoes = buildEchoes(base);
  const items = buildItems(base, attio, {
    onCommitted: tellFollowers,
    batcher: batcher(LOOK_BATCH),
    echoes,
  });
  const source = new AttioRecordSource({
    records: attio.client.records,
    keySlugs: mapping.keySlugs,
    onInvalid: (object, issue) => events.recordUnreadable(object, issue),
  });
  const apply = new ApplyService({
    store,
    mapping,
    schema: attio.schema,
    repairs,
    clock,
    events,
    newId: base.newId,
    onCommitted,
    onRivals(object, recordIds) {
      for (const recordId of recordIds) lookAgain(object, recordId);
    },
  });
  const gone = new GoneService({
    store,
    mapping,
    schema: attio.schema,
    clock,
    events,
    onCommitted,
    onGone: (recordIds) => items.dependents.lookAgain(recordIds.map((recordId) => ({ recordId }))),
  });
  const look = new LookService({
    source,
    apply,
    mapping,
    batcher: (run) =>
      new PacedBatcher({
        run,
        clock,
        intervalMs: 0,
        maxBatch: KEY_LOOK_BATCH,
        maxWaiting: 2 * (config.outbox.window + config.inbox.window),
      }),
  });
  const { lists } = attio;
  const targets = new SyncTargets({
    records: { source, apply, gone },
    items,
    lists,
    store,
    options: config.sync,
  });
  const sync = new SyncService({
    objects: config.sync.objects,
    lists,
    activity: config.sync.activity ? ACTIVITY_RUNS : [],
    runs: store.runs,
    fullSync: new FullSync({ targets, store }),
    clock,
    newId: base.newId,
    events,
    workspace,
    outagePatienceMs: config.sync.outagePatienceSeconds * 1000,
    onEnded: () => base.instances.publish('runs'),
  });
  const refresh = new RefreshService({
    // SQLite holds up the event loop meanwhile; PostgreSQL takes as long for few as for many.
    storedAtOnce: isPostgres(base.database) ? 100 : 50,
    objects: config.sync.objects,
    source,
    schema: attio.schema,
    apply,
    gone,
    echoes,
    async lookForKeys(object, keys) {
      const kind = entityKindOf(object);
      if (kind !== null) await Promise.all(keys.map((key) => look.byKey(kind, key)));
    },
    runs: store.runs,
    clock,
    batcher: batcher(config.inbox.batchSize, RECORDS_WORTH_A_READ),
  });
  /** In the background. During an outage the next full sync finds what there is to find. */
  const lookAgain = (object: string, recordId: string) => {
    refresh.lookAgain(object, recordId).catch((error) => {
      if (!isOutage(error)) events.unexpected('a second look', error);
    });
  };
  const redraw = new Redraw({
    store,
    mapping,
    schema: attio.schema,
    repairs,
    noted: new DefinitionsStore(base.database),
    clock,
  });
  return {
    mapping,
    repairs,
    redraw,
    changes,
    sync,
    refresh,
    source,
    apply,
    gone,
    look,
    lookAgain,
    items,
    onCommitted,
    /** Ends what looks at Attio. */
    async close() {
      echoes.close();
      refresh.close();
      await items.close();
    },
  };
}

/** What knows the webhooks of our own writes. */
function buildEchoes({ config, clock, events, store }: Base): EchoLedger {
  const { gatherMs, expectedSeconds } = config.echoes;
  const batching = {
    clock,
    intervalMs: 0,
    maxBatch: config.inbox.batchSize,
    maxWaiting: 2 * config.inbox.window,
  };
  return new EchoLedger({
    store: store.echoes,
    records: store.records,
    items: store.items,
    batcher: (run) => new PacedBatcher({ run, ...batching }),
    clock,
    events,
    times: { gatherMs, expectedMs: expectedSeconds * 1000 },
  });
}

/** Entries, notes, tasks and comments. */
function buildItems(
  { clock, events, store }: Base,
  { client, lists, schema }: AttioParts,
  more: { onCommitted: () => void; batcher: BatcherFactory; echoes: EchoLedger },
) {
  const { onCommitted, batcher, echoes } = more;
  const source = new AttioItemSource({
    client,
    names: schema,
    clock,
    onInvalid: (kind, issue) => events.recordUnreadable(kind, issue),
  });
  const apply = new ItemApply({ store, lists, clock, events, onCommitted });
  const gone = new ItemGone({ store, clock, events, onCommitted });
  const stores = { items: store.items, runs: store.runs };
  const refresh = new ItemRefresh({ source, apply, gone, lists, echoes, ...stores, batcher, clock });
  const parts = { items: store.items, refresh, clock, events };
  const mirroredLists = new MirroredLists({ client, lists, items: store.items, gone, clock });
  const dependents = new Dependents(parts);
  const comments = new CommentsOnDemand({ source, apply, ...parts });
  return {
    source,
    apply,
    gone,
    refresh,
    mirroredLists,
    dependents,
    comments,
    async close() {
      refresh.close();
      mirroredLists.close();
      await Promise.all([dependents.close(), comments.close()]);
    },
  };
}

export type MirrorParts = ReturnType<typeof buildMirror>;
