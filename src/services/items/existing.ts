import type { Item, ItemKind, ItemSnapshot } from '../../domain/items.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { RecordRef, Stores } from '../ports.ts';
import { entityKindOf } from '../sync/mapping.ts';
import { isSameThing } from './recognise.ts';

/** Items by the Attio id that they have, or that turns out to be theirs: a write of ours may have made it just now. */
export async function existing(
  stores: Stores,
  kind: ItemKind,
  snapshots: readonly ItemSnapshot[],
): Promise<Map<string, Item>> {
  const known = await stores.items.byAttioIds(
    kind,
    snapshots.map((snapshot) => snapshot.attioId),
  );
  const unknown = snapshots.filter((snapshot) => !known.has(snapshot.attioId));
  const refs = unknown.flatMap((snapshot) => snapshot.links.map(toRef));
  const waiting = await stores.items.unlinked(kind, refs);
  if (unknown.some((snapshot) => snapshot.links.length === 0)) {
    waiting.push(...(await stores.items.unlinkedAboutNothing(kind)));
  }
  const sought = await beingMade(stores, kind, waiting);
  if (sought.length === 0) return known;
  const entities = await entitiesOf(
    stores,
    unknown.flatMap((snapshot) => snapshot.links),
  );
  for (const snapshot of unknown) {
    const index = sought.findIndex(({ item, creations, entryId }) =>
      creations.some((creation) =>
        isSameThing({ ...item, entryId, creation }, snapshot, (link) => entities.get(keyOf(link)) ?? null),
      ),
    );
    const [found] = index < 0 ? [] : sought.splice(index, 1);
    if (found !== undefined) known.set(snapshot.attioId, found.item);
  }
  return known;
}

interface BeingMade {
  readonly item: Item;
  /** Attio's id of the entry that a comment is on. */
  readonly entryId: string | null;
  /** Requests that would have made it, as far as they were sent. */
  readonly creations: readonly OutboxRow<ItemKind>[];
}

async function beingMade(stores: Stores, kind: ItemKind, items: readonly Item[]): Promise<BeingMade[]> {
  if (items.length === 0) return [];
  const pending = await stores.outbox.pendingOf(
    kind,
    items.map((item) => item.id),
  );
  const found: BeingMade[] = [];
  for (const item of items) {
    const creations = (pending.get(item.id) ?? []).filter(
      (row) => row.operation === 'create' && row.sentAt !== null,
    );
    if (creations.length > 0) found.push({ item, entryId: await entryIdOf(stores, item), creations });
  }
  return found;
}

/** The entry that a comment is on may have been made after the comment was accepted. */
async function entryIdOf(stores: Stores, { kind, entryId }: Item): Promise<string | null> {
  const entry =
    kind === 'comments' && entryId !== null ? await stores.items.find('entries', entryId) : undefined;
  return entry?.attioId ?? entryId;
}

function toRef({ recordId }: { readonly recordId: string }): RecordRef {
  return { recordId, entityId: null };
}

/** Our ids of the things that records are of, by `object/recordId`. */
export async function entitiesOf(
  stores: Stores,
  links: readonly { readonly object: string; readonly recordId: string }[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [object, ofObject] of Map.groupBy(links, (link) => link.object)) {
    const kind = entityKindOf(object);
    if (kind === null) continue;
    const ids = [...new Set(ofObject.map((link) => link.recordId))];
    for (const [recordId, entity] of await stores.entities.byRecordIds(kind, ids)) {
      found.set(keyOf({ object, recordId }), entity.id);
    }
  }
  return found;
}

export function keyOf({ object, recordId }: { readonly object: string; readonly recordId: string }): string {
  return `${object}/${recordId}`;
}
