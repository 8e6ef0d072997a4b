import { isJsonObject } from '../domain/json.ts';

type Loose<T> = T & { [member: string]: unknown };

interface WholeValue {
  active_from?: string | null;
  active_until?: string | null;
  attribute_type?: string | null;
  created_by_actor?: Loose<{ type: string | null; id: string | null }> | null;
}

export type WholeRecord = Loose<{
  id: Loose<{ workspace_id: string; object_id: string; record_id: string }>;
  created_at: string;
  web_url: string | null;
  values: Record<string, Loose<WholeValue>[]>;
}>;

/**
 * Whether a record lacks nothing that the schema of records would fill in or complain about, but for the form of its
 * instant. One that this does not know may still be a record.
 */
export function isWholeRecord(item: unknown): item is WholeRecord {
  if (!isJsonObject(item)) return false;
  const { id, created_at: createdAt, web_url: webUrl, values } = item;
  return (
    isJsonObject(id) &&
    typeof id['workspace_id'] === 'string' &&
    typeof id['object_id'] === 'string' &&
    typeof id['record_id'] === 'string' &&
    id['record_id'] !== '' &&
    typeof createdAt === 'string' &&
    isTextOrNull(webUrl) &&
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
