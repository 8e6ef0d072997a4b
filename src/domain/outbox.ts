import type { EntityKind } from './entities.ts';
import { type ItemKind, isItemKind } from './items.ts';
import type { Json, JsonObject } from './json.ts';

/**
 * What a write wants, by field, in the plain form that our REST takes: a value or, for a multi-value attribute, a list
 * of values to add; `{replace: […]}` for exactly these; null to clear. A field is an attribute's slug, or a half of a
 * person's name.
 */
export type WriteIntent = { readonly [field: string]: Json };

/** The halves of a name: each can be written alone. */
export const NAME_HALVES = ['name.firstName', 'name.lastName'] as const;
export type NameHalf = (typeof NAME_HALVES)[number];

/** Stands for the record of a thing, which may have none yet, or another one by then; resolved when it is sent. */
export function entityReference(kind: EntityKind, id: string): JsonObject {
  return { entity: { kind, id } };
}

/** The values that both sides last agreed on when a write was accepted, by field; a field is missing when unknown. */
export type WriteBase = { readonly [field: string]: Json };

/** What can be written to Attio: things with a record, and what hangs on records. */
export type WriteKind = EntityKind | ItemKind;

/**
 * `upsert`, `delete` and `restore` are of things, `create` and `update` of items. `restore` brings back what was deleted:
 * its intent is what was archived.
 */
export type OutboxOperation = 'upsert' | 'delete' | 'restore' | 'create' | 'update';

export interface NewOutboxRow<K extends WriteKind = EntityKind> {
  readonly operation: OutboxOperation;
  readonly kind: K;
  readonly entityId: string;
  /** `upsert`: the lower-case e-mail address or domain, or the deal's external id, that it is found by. */
  readonly key: string | null;
  readonly intent: WriteIntent;
  readonly base: WriteBase;
  /** The external id before this write, when the write has changed it: a refusal brings it back. */
  readonly externalIdBefore: string | null | undefined;
  /** ISO 8601 UTC. */
  readonly acceptedAt: string;
  /** The row that must be settled first. */
  readonly afterId: number | null;
  /** Others that must be settled first. */
  readonly alsoAfter?: readonly number[];
  /** Somebody waits to be told how it ends. */
  readonly waitedFor?: boolean;
  readonly batch: { readonly id: string; readonly index: number } | null;
  /** The conflict that it settles: what it asks for stands, whatever Attio has by then. */
  readonly conflictId?: number | null;
}

export interface OutboxRow<K extends WriteKind = EntityKind> extends NewOutboxRow<K> {
  readonly id: number;
  readonly attempts: number;
  /** When a request that makes something was first about to be sent; null: it never was. ISO 8601 UTC. */
  readonly sentAt: string | null;
}

/** A row of any kind. */
export type WriteRow = OutboxRow | OutboxRow<ItemKind>;

export function isItemRow(row: WriteRow): row is OutboxRow<ItemKind> {
  return isItemKind(row.kind);
}

/** `refused`: the one who asked was told, so there is no dead letter. `cancelled`: the thing was erased. */
export type OutboxOutcome = 'done' | 'refused' | 'dead' | 'cancelled';
