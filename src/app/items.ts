import { GroupCommit } from '../queue/group-commit.ts';
import { ActivityService } from '../services/activity.ts';
import type { DealsService } from '../services/deals.ts';
import { ItemCourier } from '../services/items/courier.ts';
import { EntryDelivery } from '../services/items/entry-delivery.ts';
import { EntryValues } from '../services/items/entry-values.ts';
import { type ItemAcceptance, ItemIntake } from '../services/items/intake.ts';
import { ParentFinder, recordRefOf } from '../services/items/parents.ts';
import { ItemRequests } from '../services/items/requests.ts';
import { ItemSettler } from '../services/items/settler.ts';
import { ItemWriter } from '../services/items/writer.ts';
import type { LookService } from '../services/outbox/look.ts';
import type { Waiters } from '../services/outbox/waiters.ts';
import type { OutboxWriter } from '../services/outbox/writer.ts';
import { DealPipeline } from '../services/pipeline/deal-pipeline.ts';
import { ListPipeline } from '../services/pipeline/list-pipeline.ts';
import { PipelineService } from '../services/pipeline.ts';
import type { AttioParts } from './attio.ts';
import type { Base } from './base.ts';
import type { MirrorParts } from './mirror.ts';

/** Writes that share a commit, and that may wait for one. */
const COMMIT = { maxBatch: 50, maxWaiting: 5_000 };

/** What brings writes of entries, notes, tasks and comments to Attio. */
export function buildItemCourier(base: Base, attio: AttioParts, mirror: MirrorParts, waiters: Waiters) {
  const { config, clock, events, store } = base;
  const { client, lists, members, schema } = attio;
  const settler = new ItemSettler({ store, apply: mirror.items.apply, lists, waiters, clock, events });
  const courier = new ItemCourier({
    items: store.items,
    entities: store.entities,
    outbox: store.outbox,
    requests: new ItemRequests({ client, names: schema }),
    entries: new EntryDelivery({ entries: client.entries, records: client.records, lists, names: schema }),
    settler,
    gone: mirror.items.gone,
    members,
    clock,
    attioTime: (ms) => client.attioTime(ms),
    heldBackAfterMs: config.outbox.writeWaitMs,
    lookAgain: (object, recordId) => mirror.refresh.lookAgain(object, recordId),
  });
  return { courier, showItem: settler.showItem };
}

/** Pipelines and activity, as internal systems read and write them. */
export function buildItems(
  base: Base,
  attio: AttioParts,
  mirror: MirrorParts,
  outbox: { readonly look: LookService; readonly writer: OutboxWriter; readonly waiters: Waiters },
  deals: DealsService,
) {
  const { config, clock, store, newId } = base;
  const { client, lists, choices, members, schema } = attio;
  const intake = new ItemIntake({ store, waiters: outbox.waiters, clock, newId });
  const accepted = new GroupCommit({
    ...COMMIT,
    flush: (items: readonly ItemAcceptance[]) => intake.accept(items),
  });
  const { writeWaitMs } = config.outbox;
  const writer = new ItemWriter({ log: accepted, outbox: outbox.writer, clock, writeWaitMs });
  const { objects } = config.sync;
  const parents = new ParentFinder({
    entities: store.entities,
    mirror: store.records,
    objects,
    look: outbox.look,
    records: client.records,
  });
  const reading = { items: store.items, outbox: store.outbox };
  return {
    pipelines: new PipelineService({
      lists: new ListPipeline({
        ...reading,
        lists,
        choices,
        values: new EntryValues({ choices }),
        parents,
        writer,
      }),
      deals: new DealPipeline({ deals, choices, schema, mapping: mirror.mapping }),
    }),
    activity: new ActivityService({
      ...reading,
      lists,
      members,
      parents,
      recordRef: (id) => recordRefOf(store.entities, id),
      writer,
      objects,
      comments: mirror.items.comments,
    }),
    idle: () => accepted.idle(),
  };
}

export type ItemParts = ReturnType<typeof buildItems>;
