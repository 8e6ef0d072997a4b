import { createHash } from 'node:crypto';
import type { ChangeType, NewChange } from '../../domain/changes.ts';
import type { Clock } from '../../domain/clock.ts';
import { decideSnapshot, type SnapshotDecision } from '../../domain/decide.ts';
import { ITEM_NOUNS, type Item, type ItemKind, type ItemSnapshot } from '../../domain/items.ts';
import { canonicalJson, type JsonObject } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import { meetReadings, readingOf } from '../conflicts/open.ts';
import type { ListsService } from '../lists.ts';
import type { Stores, SyncEvents, UnitOfWork } from '../ports.ts';
import type { ApplyCounts } from '../sync/apply.ts';
import { entityKindOf } from '../sync/mapping.ts';
import { entitiesOf, existing, keyOf } from './existing.ts';
import { memberReading } from './fields.ts';
import { isHandMade } from './recognise.ts';
import { type Attributes, changedMembers, show } from './shape.ts';

export interface ItemApplyOptions {
  /** Note the later instant on unchanged items too: see the same option of records. */
  readonly touchUnchanged: boolean;
  /** `local`: what is applied is the answer to a write of ours. @default 'attio' */
  readonly source?: NewChange['source'];
  /** Runs first in the same transaction. */
  readonly before?: (stores: Stores) => Promise<void>;
  /** Runs in the same transaction, with what was applied. */
  readonly within?: (stores: Stores, counts: ApplyCounts) => Promise<void>;
}

interface Decided {
  readonly snapshot: ItemSnapshot;
  readonly hash: string;
  readonly decision: SnapshotDecision;
}

/**
 * The one place where a read of Attio changes what is mirrored of entries, notes, tasks and comments. Item and change row
 * are written in one transaction. What a write of ours has made is recognised, whether its answer or its webhook comes
 * first.
 */
export class ItemApply {
  readonly #store: UnitOfWork;
  readonly #lists: Pick<ListsService, 'attributesOf'>;
  readonly #clock: Clock;
  readonly #events: SyncEvents;
  readonly #onCommitted: () => void;

  /** @param deps.onCommitted called after a commit that changed something: followers wake */
  constructor(deps: {
    store: UnitOfWork;
    lists: Pick<ListsService, 'attributesOf'>;
    clock: Clock;
    events: SyncEvents;
    onCommitted: () => void;
  }) {
    this.#store = deps.store;
    this.#lists = deps.lists;
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#onCommitted = deps.onCommitted;
  }

  /** @param snapshots of one kind; entries of one list */
  async apply(
    kind: ItemKind,
    snapshots: readonly ItemSnapshot[],
    options: ItemApplyOptions,
  ): Promise<ApplyCounts> {
    const attributes = await this.#attributesFor(kind, snapshots);
    const latest = latestOf(snapshots);
    const decided = await this.#store.transaction(async (stores) => {
      await options.before?.(stores);
      const states = await stores.items.states(kind, [...latest.keys()]);
      const hidden = await hiddenAmong(stores, [...latest.values()]);
      const unknown = [...latest.keys()].filter((attioId) => !states.has(attioId));
      const outlived = await stores.items.outlived(kind, unknown);
      const rows = [...latest.values()].map((snapshot): Decided => {
        const hash = hashOf(snapshot);
        const state = states.get(snapshot.attioId);
        // One that a write of ours has just made has its id, and nothing read of it yet.
        const isKnown = state !== undefined && (state.hash !== '' || state.deletedAt !== null);
        const current = isKnown ? { ...state, hidden: false } : undefined;
        if (hidden.has(snapshot.attioId)) return { snapshot, hash, decision: 'hidden' };
        // Of one that has been made anew since: this answer is from before.
        if (outlived.has(snapshot.attioId)) return { snapshot, hash, decision: 'stale' };
        return { snapshot, hash, decision: decideSnapshot(current, { ...snapshot, hash }) };
      });
      await this.#write(stores, kind, rows.filter(isWritten), attributes, options.source ?? 'attio');
      if (options.touchUnchanged) await touch(stores, kind, rows);
      await options.within?.(stores, count(rows));
      return rows;
    });
    this.#report(kind, decided);
    return count(decided);
  }

  async #attributesFor(kind: ItemKind, snapshots: readonly ItemSnapshot[]): Promise<Attributes | null> {
    const listId = kind === 'entries' ? snapshots[0]?.listId : undefined;
    return listId == null ? null : this.#lists.attributesOf(listId);
  }

  async #write(
    stores: Stores,
    kind: ItemKind,
    decided: readonly Decided[],
    attributes: Attributes | null,
    source: NewChange['source'],
  ): Promise<void> {
    if (decided.length === 0) return;
    const at = new Date(this.#clock.now()).toISOString();
    const known = await existing(
      stores,
      kind,
      decided.map(({ snapshot }) => snapshot),
    );
    const pending = await stores.outbox.pendingOf(
      kind,
      [...known.values()].map((item) => item.id),
    );
    const entities = await entitiesOf(
      stores,
      decided.flatMap(({ snapshot }) => snapshot.links),
    );
    const readings = decided.map(({ snapshot: { attioId, body } }) => {
      const read = kind === 'entries' ? readingOf(attributes, body as RecordValues) : memberReading(body);
      return [known.get(attioId)?.id ?? attioId, read] as const;
    });
    const open = await meetReadings(stores, ITEM_NOUNS[kind], new Map(readings), at);
    const rows = decided.map(({ snapshot, hash, decision }) => {
      const before = known.get(snapshot.attioId);
      const intents = (pending.get(before?.id ?? '') ?? []).map((row) => row.intent);
      const held = open.get(before?.id ?? '') ?? [];
      const item = itemFrom(snapshot, hash, before, {
        at,
        ...show(kind, snapshot.body, [...held, ...intents], attributes),
        links: snapshot.links.map((link) => ({ ...link, entityId: entities.get(keyOf(link)) ?? null })),
      });
      // Followers are told what Attio has, without what is on its way.
      const agreed = { ...item, ...show(kind, snapshot.body, [], attributes) };
      const told = describe(agreed, decision === 'updated' ? (before ?? null) : null, at);
      const ours = source === 'local' || explains(before, snapshot, intents, told.changed);
      return { item, change: ours ? { ...told, source: 'local' as const } : told };
    });
    await stores.items.put(rows.map(({ item }) => item));
    await stores.changes.append(rows.map(({ change }) => change));
  }

  #report(kind: ItemKind, decided: readonly Decided[]): void {
    const counts = count(decided);
    this.#events.recordsSettled(kind, 'created', counts.created);
    this.#events.recordsSettled(kind, 'updated', counts.updated);
    this.#events.recordsSettled(kind, 'unchanged', counts.unchanged - counts.stale);
    this.#events.recordsSettled(kind, 'stale', counts.stale);
    if (decided.some(isWritten)) this.#onCommitted();
  }
}

/** Those that are only about what was removed here: they are not taken in again. */
async function hiddenAmong(stores: Stores, snapshots: readonly ItemSnapshot[]): Promise<ReadonlySet<string>> {
  const hiddenIds = new Set<string>();
  const links = snapshots.flatMap((snapshot) => snapshot.links);
  for (const [object, ofObject] of Map.groupBy(links, (link) => link.object)) {
    if (entityKindOf(object) === null) continue;
    const states = await stores.records.states(object, [...new Set(ofObject.map((link) => link.recordId))]);
    for (const [recordId, state] of states) if (state.hidden) hiddenIds.add(recordId);
  }
  const hidden = snapshots.filter(
    ({ links: own }) => own.length > 0 && own.every((link) => hiddenIds.has(link.recordId)),
  );
  return new Set(hidden.map((snapshot) => snapshot.attioId));
}

function itemFrom(
  snapshot: ItemSnapshot,
  hash: string,
  before: Item | undefined,
  rest: Pick<Item, 'shown' | 'stage' | 'amount' | 'currencyCode' | 'isCompleted' | 'links'> & { at: string },
): Item {
  const { at, ...shown } = rest;
  const { kind, attioId, listId, entryId, threadId, createdAt, body, readAt } = snapshot;
  return {
    kind,
    id: before?.id ?? attioId,
    attioId,
    listId,
    entryId,
    threadId,
    body,
    ...shown,
    hash,
    readAt,
    version: (before?.version ?? 0) + 1,
    createdAt,
    updatedAt: at,
    deletedAt: null,
    syncFailure: before?.syncFailure ?? null,
    requestKey: before?.requestKey ?? null,
  };
}

/** What Attio sets by itself along with what is written. */
const IMPLIED: Readonly<Record<string, string>> = { isCompleted: 'completedAt' };

function explains(
  before: Item | undefined,
  snapshot: ItemSnapshot,
  intents: readonly WriteIntent[],
  changed: readonly string[],
): boolean {
  if (before === undefined || intents.length === 0) return false;
  if (before.attioId === null) return !isHandMade(snapshot);
  const written = new Set(
    intents.flatMap((intent) => Object.keys(intent)).flatMap((name) => [name, IMPLIED[name] ?? name]),
  );
  return changed.every((name) => written.has(name));
}

/** What followers are told of an item. */
export function tellItem(item: Item): JsonObject {
  const { attioId, listId, entryId, threadId, links, createdAt, shown } = item;
  return {
    attioId,
    ...(listId === null ? {} : { listId }),
    ...(entryId === null ? {} : { entryId }),
    ...(threadId === null ? {} : { threadId }),
    records: links.map(({ object, recordId }) => ({ object, recordId })),
    createdAt,
    ...shown,
  };
}

export function changeOf(
  item: Item,
  what: 'created' | 'updated' | 'deleted',
  more: Pick<NewChange, 'changed' | 'at' | 'data' | 'source'>,
): NewChange {
  const type: ChangeType = `${ITEM_NOUNS[item.kind]}.${what}`;
  return { type, object: item.links[0]?.object ?? '', id: item.id, ...more };
}

/** One that is back is told as created: its followers were told that it is gone. */
function describe(item: Item, before: Item | null, at: string): NewChange {
  const changed = changedMembers(item.kind, before?.body ?? null, item.body);
  const what = before === null ? 'created' : 'updated';
  return changeOf(item, what, { changed, at, data: tellItem(item), source: 'attio' });
}

function latestOf(snapshots: readonly ItemSnapshot[]): Map<string, ItemSnapshot> {
  const latest = new Map<string, ItemSnapshot>();
  for (const snapshot of snapshots) {
    const other = latest.get(snapshot.attioId);
    if (other === undefined || other.readAt <= snapshot.readAt) latest.set(snapshot.attioId, snapshot);
  }
  return latest;
}

function hashOf({ links, body, listId, entryId, threadId }: ItemSnapshot): string {
  const compared = [links.map(({ object, recordId }) => [object, recordId]), body, listId, entryId, threadId];
  return createHash('sha256').update(canonicalJson(compared)).digest('hex');
}

function isWritten(row: Decided): boolean {
  return row.decision === 'created' || row.decision === 'updated' || row.decision === 'restored';
}

async function touch(stores: Stores, kind: ItemKind, decided: readonly Decided[]): Promise<void> {
  const unchanged = decided.filter((row) => row.decision === 'unchanged');
  for (const [readAt, rows] of Map.groupBy(unchanged, (row) => row.snapshot.readAt)) {
    const ids = rows.map((row) => row.snapshot.attioId);
    await stores.items.touch(kind, ids, readAt);
  }
}

function count(decided: readonly Decided[]): ApplyCounts {
  const written = decided.filter(isWritten);
  const updated = written.filter((row) => row.decision === 'updated').length;
  return {
    created: written.length - updated,
    updated,
    unchanged: decided.length - written.length,
    stale: decided.filter((row) => row.decision === 'stale').length,
  };
}
