import { type EntityKind, type EntityRow, keysOf, type PlainAttributes } from '../../domain/entities.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import { meetReadings, readingOf } from '../conflicts/open.ts';
import { type Attributes, slugOf } from '../outbox/fields.ts';
import type { Stores } from '../ports.ts';
import { join } from './joining.ts';
import type { Mapping } from './mapping.ts';
import { sameFacts } from './project.ts';

/** A record as just read, and its values in plain form. */
export interface ReadRecord {
  readonly snapshot: RecordSnapshot;
  readonly plain: PlainAttributes;
}

export interface Naming {
  readonly mapping: Mapping;
  /** Null: not known. */
  readonly attributesOf: (kind: EntityKind) => Attributes | null;
  /** For a thing that cannot bear its record's id. */
  readonly newId: () => string;
}

export interface PutThing {
  readonly id: string;
  /** Whether a pending write of ours accounts for these changes: its webhook may come before its answer. */
  readonly explains: (changed: readonly string[]) => boolean;
}

/** Makes things of ours show records as they were read, with what is on its way to them. @returns them by record id */
export async function putThings(
  stores: Stores,
  { mapping, attributesOf, newId }: Naming,
  kind: EntityKind,
  read: readonly ReadRecord[],
  at: string,
): Promise<ReadonlyMap<string, PutThing>> {
  const known = await existing(stores, mapping, kind, read, at);
  const ids = await idsOf(stores, kind, read, known, newId);
  const idOf = (recordId: string) => ids.get(recordId) ?? recordId;
  const pending = await stores.outbox.pendingOf(kind, [...ids.values()]);
  const attributes = attributesOf(kind);
  const readings = read.map(({ snapshot: { recordId, values } }) => {
    return [idOf(recordId), readingOf(attributes, values)] as const;
  });
  const open = await meetReadings(stores, kind, new Map(readings), at);
  const put = new Map<string, PutThing>();
  const rows = read.map(({ snapshot, plain }): EntityRow => {
    const before = known.get(snapshot.recordId);
    const id = idOf(snapshot.recordId);
    const own = mapping.facts(kind, snapshot.values, plain);
    const intents = (pending.get(id) ?? []).map((row) => row.intent);
    const kept = mapping.withKept(kind, own, before?.facts);
    const facts = mapping.overlay(kind, kept, [...(open.get(id) ?? []), ...intents]);
    // One of those on their way has arrived; those behind it have not.
    const reflected = intents.some((intent) => sameFacts(own, mapping.overlay(kind, own, [intent])));
    const isMade = before !== undefined && before.recordId === null && !isHandMade(snapshot);
    put.set(snapshot.recordId, { id, explains: reflected ? explainer(intents, isMade) : () => false });
    const row = {
      ...blank(mapping, kind, id, snapshot.createdAt),
      ...before,
      recordId: snapshot.recordId,
      webUrl: snapshot.webUrl,
      deletedAt: null,
      mergedInto: null,
      facts,
      keys: keysOf(facts),
    };
    const same = before !== undefined && before.deletedAt === null && sameFacts(before.facts, facts);
    return same ? row : { ...row, version: row.version + 1, updatedAt: at };
  });
  await stores.entities.put(rows);
  return put;
}

/** Records of other things that seem to hold a key of these. */
export async function rivalsOf(
  stores: Stores,
  mapping: Mapping,
  kind: EntityKind,
  snapshots: readonly RecordSnapshot[],
): Promise<string[]> {
  if (snapshots.length === 0) return [];
  const holders = new Map(
    snapshots.flatMap(({ recordId, values }) =>
      mapping.keysIn(kind, values).map((key) => [key, recordId] as const),
    ),
  );
  const owners = await stores.entities.ownersOf(kind, [...holders.keys()]);
  const others = [...holders].flatMap(([key, recordId]) =>
    (owners.get(key) ?? []).filter((owner) => owner !== recordId),
  );
  return [...new Set(others)];
}

/**
 * Things by the record that they have, or that turns out to be theirs: a write of ours may have made it just now. Those
 * that were made here by keys of one and the same record are one thing.
 */
async function existing(
  stores: Stores,
  mapping: Mapping,
  kind: EntityKind,
  read: readonly ReadRecord[],
  at: string,
): Promise<ReadonlyMap<string, EntityRow>> {
  const keys = read.map(
    ({ snapshot }) => [snapshot.recordId, mapping.keysIn(kind, snapshot.values)] as const,
  );
  const known = await stores.entities.byRecordIds(
    kind,
    keys.map(([recordId]) => recordId),
  );
  const unlinked = await stores.entities.unlinkedByKeys(
    kind,
    keys.flatMap(([, own]) => own),
  );
  const taken = new Set<string>();
  for (const [recordId, own] of keys) {
    for (const entity of own.flatMap((key) => unlinked.get(key) ?? [])) {
      if (taken.has(entity.id)) continue;
      taken.add(entity.id);
      const into = known.get(recordId);
      // Made here by a write: the external id that it brought is the one that was asked for last.
      const joining = { from: entity, externalIdOf: 'from', at } as const;
      known.set(recordId, into === undefined ? entity : await join(stores, mapping, { ...joining, into }));
    }
  }
  return known;
}

/** A thing that is new here bears its record's id, unless one that was made anew in Attio since has kept that one. */
async function idsOf(
  stores: Stores,
  kind: EntityKind,
  read: readonly ReadRecord[],
  known: ReadonlyMap<string, EntityRow>,
  newId: () => string,
): Promise<ReadonlyMap<string, string>> {
  const recordIds = read.map(({ snapshot }) => snapshot.recordId);
  const taken = await stores.entities.idsAmong(
    kind,
    recordIds.filter((id) => !known.has(id)),
  );
  return new Map(recordIds.map((id) => [id, known.get(id)?.id ?? (taken.has(id) ? newId() : id)]));
}

function blank(mapping: Mapping, kind: EntityKind, id: string, createdAt: string): EntityRow {
  return {
    kind,
    id,
    recordId: null,
    externalId: null,
    webUrl: null,
    version: 0,
    createdAt,
    updatedAt: createdAt,
    deletedAt: null,
    mergedInto: null,
    syncFailure: null,
    facts: mapping.blank(kind),
    keys: [],
  };
}

/** What Attio sets by itself when a record is made. */
const BOOKKEEPING: ReadonlySet<string> = new Set(['record_id', 'created_at', 'created_by']);

/** @param isMade the record was made by a write of ours: what Attio has added is no one else's */
function explainer(intents: readonly WriteIntent[], isMade: boolean): PutThing['explains'] {
  const written = new Set(intents.flatMap((intent) => Object.keys(intent).map(slugOf)));
  return (changed) => isMade || changed.every((slug) => written.has(slug) || BOOKKEEPING.has(slug));
}

function isHandMade({ values }: RecordSnapshot): boolean {
  return values['created_by']?.[0]?.['referenced_actor_type'] === 'workspace-member';
}
