import { PacedBatcher } from '../queue/paced-batcher.ts';
import { ChangesService } from '../services/changes.ts';
import { ItemApply } from '../services/items/apply.ts';
import { ItemGone } from '../services/items/gone.ts';
import { AttioItemSource } from '../services/items/source.ts';
import { ApplyService } from '../services/sync/apply.ts';
import { FullSync } from '../services/sync/full-sync.ts';
import { GoneService } from '../services/sync/gone.ts';
import { Mapping } from '../services/sync/mapping.ts';
import { RefreshService } from '../services/sync/refresh.ts';
import { AttioRecordSource } from '../services/sync/source.ts';
import { ACTIVITY_RUNS, SyncTargets } from '../services/sync/target.ts';
import { SyncService } from '../services/sync.ts';
import type { WorkspaceGuard } from '../services/workspace.ts';
import type { AttioParts } from './attio.ts';
import type { Base } from './base.ts';

/** What keeps the local database equal to Attio. */
export function buildMirror(base: Base, attio: AttioParts, workspace: WorkspaceGuard) {
  const { config, clock, events, store } = base;
  const changes = new ChangesService({ changes: store.changes, clock });
  const onCommitted = (_object: string, recordIds: readonly string[]) => {
    for (const id of recordIds) attio.records.forget(id);
    changes.notify();
  };
  const mapping = new Mapping({ dealKey: config.deals.externalIdAttribute });
  const source = new AttioRecordSource({
    records: attio.client.records,
    keySlugs: mapping.keySlugs,
    onInvalid: (object, issue) => events.recordUnreadable(object, issue),
  });
  const apply = new ApplyService({ store, mapping, schema: attio.schema, clock, events, onCommitted });
  const gone = new GoneService({ store, mapping, clock, events, onCommitted });
  const { client, lists } = attio;
  const itemDeps = { store, clock, events, onCommitted: () => changes.notify() };
  const items = {
    source: new AttioItemSource({
      client,
      names: attio.schema,
      clock,
      onInvalid: (kind, issue) => events.recordUnreadable(kind, issue),
    }),
    apply: new ItemApply({ ...itemDeps, lists }),
    gone: new ItemGone(itemDeps),
  };
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
  });
  const refresh = new RefreshService({
    objects: config.sync.objects,
    source,
    schema: attio.schema,
    apply,
    gone,
    runs: store.runs,
    clock,
    batcher: (run) =>
      new PacedBatcher({
        run,
        clock,
        intervalMs: config.inbox.coalesceMs,
        maxBatch: config.inbox.batchSize,
        maxWaiting: 2 * config.inbox.window,
      }),
  });
  return { mapping, changes, sync, refresh, source, apply, gone, items, onCommitted };
}

export type MirrorParts = ReturnType<typeof buildMirror>;
