import type { DeadLetter } from '../domain/dead-letters.ts';
import { isItemKind } from '../domain/items.ts';
import { isItemRow } from '../domain/outbox.ts';
import { StorageUnavailableError } from '../domain/storage.ts';
import { GroupCommit } from '../queue/group-commit.ts';
import { Choosing } from '../services/outbox/choosing.ts';
import { OutboxDelivery } from '../services/outbox/delivery.ts';
import { Departures } from '../services/outbox/departures.ts';
import { SettledElsewhere } from '../services/outbox/elsewhere.ts';
import { type Acceptance, OutboxIntake } from '../services/outbox/intake.ts';
import { RemovalService } from '../services/outbox/removal.ts';
import { RestoreService } from '../services/outbox/restoring.ts';
import { reviveWrite } from '../services/outbox/revival.ts';
import { Settler } from '../services/outbox/settler.ts';
import { TargetFinder } from '../services/outbox/target.ts';
import { Waiters } from '../services/outbox/waiters.ts';
import { type Courier, OutboxWorker } from '../services/outbox/worker.ts';
import { OutboxWriter } from '../services/outbox/writer.ts';
import { entityKindOf } from '../services/sync/mapping.ts';
import type { WorkspaceGuard } from '../services/workspace.ts';
import { scrubFile } from '../store/database.ts';
import type { AttioParts } from './attio.ts';
import type { Base } from './base.ts';
import { buildItemCourier } from './items.ts';
import type { MirrorParts } from './mirror.ts';

const HOUR_MS = 60 * 60 * 1000;

/** Writes that share a commit, and that may wait for one. */
const COMMIT = { maxBatch: 50, maxWaiting: 5_000 };

/** What takes the writes of internal systems and brings them to Attio. */
export function buildOutbox(base: Base, attio: AttioParts, mirror: MirrorParts, workspace: WorkspaceGuard) {
  const { config, clock, random, newId, events, store, instances } = base;
  const { client, schema, choices, members } = attio;
  const { mapping, look, lookAgain } = mirror;
  const waiters = new Waiters({ clock });
  const choosing = new Choosing({ choices, members, mapping, clock });
  const intake = new OutboxIntake({ store, mapping, schema, repairs: mirror.repairs, waiters, clock, newId });
  const accepted = new GroupCommit({
    ...COMMIT,
    flush: (items: readonly Acceptance[]) => intake.accept(items),
  });
  const settler = new Settler({
    store,
    mapping,
    apply: mirror.apply,
    schema,
    waiters,
    clock,
    events,
    lookAgain,
  });
  const departures = new Departures({
    hints: base.inbox,
    records: client.records,
    entries: client.entries,
    attioTime: (ms) => client.attioTime(ms),
  });
  const delivery = new OutboxDelivery({
    outbox: store.outbox,
    records: client.records,
    targets: new TargetFinder({
      entities: store.entities,
      outbox: store.outbox,
      source: mirror.source,
      records: client.records,
      look,
      gone: mirror.gone,
      mapping,
    }),
    settler,
    schema,
    keySlugs: mapping.keySlugs,
    policyOf: (kind, field) => mapping.policyOf(kind, field),
    choosing,
    conflicts: store.conflicts,
    rules: config.conflicts,
    departures,
    clock,
    attioTime: (ms) => client.attioTime(ms),
    heldBackAfterMs: config.outbox.writeWaitMs,
    onDoubted(object, recordId) {
      if (entityKindOf(object) !== null) lookAgain(object, recordId);
    },
  });
  const things: Courier = {
    deliver: async (row, signal) => (isItemRow(row) ? undefined : delivery.deliver(row, signal)),
    refuse: async (row, failure) => (isItemRow(row) ? undefined : settler.refuse(row, failure)),
  };
  const items = buildItemCourier(base, attio, mirror, { waiters, departures });
  const worker = new OutboxWorker({
    outbox: store.outbox,
    courierOf: (kind) => (isItemKind(kind) ? items.courier : things),
    waiters,
    workspace,
    isInCharge: () => instances.isHeld(),
    tellOthers: () => instances.publish('outbox'),
    isCircuitOpen: () => client.circuit.state !== 'closed',
    clock,
    random,
    events,
    options: { ...config.outbox, giveUpAfterMs: config.outbox.giveUpAfterHours * HOUR_MS },
  });
  const writer = new OutboxWriter({
    log: accepted,
    intake,
    worker,
    waiters,
    outbox: store.outbox,
    batches: store.batches,
    schema,
    choosing,
    mapping,
    clock,
    newId,
    writeWaitMs: config.outbox.writeWaitMs,
    maxPending: config.outbox.maxPending,
  });
  const removal = new RemovalService({
    store,
    clock,
    waiters,
    async onErased(ids) {
      await base.idempotency.eraseMentioning(ids);
      await scrubFile(base.database);
      attio.records.forgetQueries();
    },
    onRemoved(kind, recordIds) {
      mirror.onCommitted(kind, recordIds);
    },
  });
  const restoring = new RestoreService({
    store,
    mapping,
    clock,
    waiters,
    undoDays: config.deletes.undoDays,
    onRestored: (kind) => mirror.onCommitted(kind, []),
  });
  const elsewhere = new SettledElsewhere({
    outbox: store.outbox,
    conflicts: store.conflicts,
    waiters,
    onError(error) {
      if (!(error instanceof StorageUnavailableError)) events.unexpected('writes of other instances', error);
    },
  });
  return {
    worker,
    writer,
    elsewhere,
    waiters,
    choosing,
    showItem: items.showItem,
    look,
    removal,
    restoring,
    async revive(letter: DeadLetter) {
      await reviveWrite({ store, mapping, clock, showItem: items.showItem }, letter);
      worker.wake();
    },
    async stop() {
      const stopped = worker.stop();
      look.close();
      await stopped;
      await Promise.all([accepted.idle(), elsewhere.idle()]);
    },
  };
}

export type OutboxParts = ReturnType<typeof buildOutbox>;
