import { isJsonObject } from '../domain/json.ts';

type Loose<T> = T & { [member: string]: unknown };

interface WholeValue {
  active_from?: string | null;
  active_until?: string | null;
  attribute_type?: string | null;
  created_by_actor?: Loose<{ type: string | null; id: string | null }> | null;
}

type WholeValues = Record<string, Loose<WholeValue>[]>;

export type WholeRecord = Loose<{
  id: Loose<{ workspace_id: string; object_id: string; record_id: string }>;
  created_at: string;
  web_url: string | null;
  values: WholeValues;
}>;

export type WholeEntry = Loose<{
  id: Loose<{ workspace_id: string; list_id: string; entry_id: string }>;
  parent_record_id: string;
  parent_object: string;
  created_at: string;
  entry_values: WholeValues;
}>;

/**
 * Whether a record lacks nothing that its schema would fill in or complain about, but for the form of its instant. One
 * that this does not know may still be a record.
 */
export function isWholeRecord(item: unknown): item is WholeRecord {
  if (!isJsonObject(item)) return false;
  const { id, created_at: createdAt, web_url: webUrl, values } = item;
  return (
    isWholeId(id, 'object_id', 'record_id') &&
    typeof createdAt === 'string' &&
    isTextOrNull(webUrl) &&
    areWholeValues(values)
  );
}

/** The same of an entry of a list. */
export function isWholeEntry(item: unknown): item is WholeEntry {
  if (!isJsonObject(item)) return false;
  const { id, created_at: createdAt, parent_record_id: parentId, parent_object: parent } = item;
  return (
    isWholeId(id, 'list_id', 'entry_id') &&
    typeof createdAt === 'string' &&
    typeof parentId === 'string' &&
    typeof parent === 'string' &&
    areWholeValues(item['entry_values'])
  );
}

function isWholeId(id: unknown, place: string, own: string): boolean {
  return (
    isJsonObject(id) &&
    typeof id['workspace_id'] === 'string' &&
    typeof id[place] === 'string' &&
    typeof id[own] === 'string' &&
    id[own] !== ''
  );
}

function areWholeValues(values: unknown): boolean {
  return (
    isJsonObject(values) &&
    Object.values(values).every((ofSlug) => Array.isArray(ofSlug) && ofSlug.every(isWholeValue))
  );
}

function isWholeValue(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { active_from: from, active_until: until, attribute_type: type, created_by_actor: actor } = value;
  return isOptionalText(from) && isOptionalText(until) && isOptionalText(type) && isWholeActor(actor);
}

function isWholeActor(actor: unknown): boolean {
  if (actor === null || actor === undefined) return true;
  return isJsonObject(actor) && isTextOrNull(actor['type']) && isTextOrNull(actor['id']);
}

function isTextOrNull(value: unknown): boolean {
  return value === null || typeof value === 'string';
}

/** A text, or not set. */
function isOptionalText(value: unknown): boolean {
  return value === undefined || isTextOrNull(value);
}
