import {
  type EntityKind,
  type EntityRow,
  type Facts,
  keysOf,
  type PlainAttributes,
} from '../../domain/entities.ts';
import { type Json, sameJson } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import { openIntents } from '../conflicts/open.ts';
import type { Stores } from '../ports.ts';
import type { Mapping } from './mapping.ts';

export type PlainOf = (values: RecordValues) => PlainAttributes;

/**
 * What both sides agree on of a thing: its record, and what is ours to keep; of one without a record, what it is found by.
 * @param refused what was written last, and is taken back
 */
export function agreedFacts(
  mapping: Mapping,
  entity: EntityRow,
  values: RecordValues | null,
  plainOf: PlainOf,
  refused: WriteIntent = {},
): Facts {
  const { kind, keys } = entity;
  const found = kind === 'deals' ? (keys[0] ?? null) : keys.toReversed();
  const theirs =
    values === null
      ? mapping.overlay(kind, mapping.blank(kind), [{ [mapping.keySlugs[kind]]: found }])
      : mapping.facts(kind, values, plainOf(values));
  return mapping.withKept(kind, theirs, entity.facts, refused);
}

/**
 * Draws a thing anew from its record, its open conflicts and its pending writes, after a write of it was settled.
 * @param refused that one
 */
export async function reproject(
  stores: Stores,
  mapping: Mapping,
  kind: EntityKind,
  entityId: string,
  plainOf: PlainOf,
  at: string,
  refused?: WriteIntent,
): Promise<void> {
  const entity = await stores.entities.find(kind, entityId);
  if (entity === undefined || entity.deletedAt !== null) return;
  const { recordId } = entity;
  const record = recordId === null ? undefined : (await stores.records.load(kind, [recordId])).get(recordId);
  const pending = (await stores.outbox.pendingOf(kind, [entity.id])).get(entity.id) ?? [];
  const agreed = agreedFacts(mapping, entity, record?.values ?? null, plainOf, refused);
  const open = (await openIntents(stores, kind, [entity.id])).get(entity.id) ?? [];
  const intents = [...open, ...pending.map((row) => row.intent)];
  const drawn = drawnAnew(mapping, entity, agreed, intents, at);
  if (drawn !== null) await stores.entities.put([drawn]);
}

/** A thing with what waits laid over what is agreed on; null: it is so already. */
export function drawnAnew(
  mapping: Mapping,
  entity: EntityRow,
  agreed: Facts,
  waiting: readonly WriteIntent[],
  at: string,
): EntityRow | null {
  const facts = mapping.overlay(entity.kind, agreed, waiting);
  if (sameFacts(facts, entity.facts)) return null;
  return { ...entity, facts, keys: keysOf(facts), version: entity.version + 1, updatedAt: at };
}

export function sameFacts(a: Facts, b: Facts): boolean {
  return sameJson(a as unknown as Json, b as unknown as Json); // facts are plain JSON
}
