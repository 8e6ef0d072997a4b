import type { EntityRow } from '../../domain/entities.ts';
import { fieldOf } from '../../domain/mapping.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { Stores } from '../ports.ts';
import type { Mapping } from '../sync/mapping.ts';
import { type PlainOf, reproject } from '../sync/project.ts';
import { takeBackExternalId } from './external-ids.ts';

/**
 * The key that a write was asked by has moved to another record since: what is kept here alone is that one's as well, as
 * what went to Attio is. Those are its external id, and values that only go out. The thing that was taken for it gets
 * back what it had.
 */
export async function passOn(
  stores: Stores,
  mapping: Mapping,
  row: OutboxRow,
  toId: string,
  plainOf: PlainOf,
  at: string,
): Promise<void> {
  const { kind, intent } = row;
  const from = await stores.entities.find(kind, row.entityId);
  const to = await stores.entities.find(kind, toId);
  if (from === undefined || to === undefined || from.id === to.id) return;
  const heir = await passOnExternalId(stores, row, from, to);
  const kept = new Set(mapping.kept(kind).map(fieldOf));
  const ours = Object.fromEntries(Object.entries(intent).filter(([field]) => kept.has(field)));
  if (Object.keys(ours).length === 0) return;
  await stores.entities.put([{ ...heir, facts: mapping.overlay(kind, heir.facts, [ours]) }]);
  await reproject(stores, mapping, kind, from.id, plainOf, at, ours);
}

/** @returns the thing that the write has turned out to be of */
async function passOnExternalId(
  stores: Stores,
  row: OutboxRow,
  from: EntityRow,
  to: EntityRow,
): Promise<EntityRow> {
  const { kind, externalIdBefore } = row;
  if (externalIdBefore === undefined) return to;
  const others = (await stores.outbox.pendingOf(kind, [from.id])).get(from.id) ?? [];
  const later = others.find((other) => other.externalIdBefore !== undefined);
  const asked = later === undefined ? from.externalId : (later.externalIdBefore ?? null);
  const back = await takeBackExternalId(stores, row, from, others);
  // External ids are unique: let go of first.
  await stores.entities.put([{ ...from, externalId: back, version: from.version + 1 }]);
  const holder = asked === null ? undefined : await stores.entities.findByExternalId(kind, asked);
  if (holder !== undefined && holder.id !== to.id) return to;
  const heir = { ...to, externalId: asked, version: to.version + 1 };
  await stores.entities.put([heir]);
  return heir;
}
