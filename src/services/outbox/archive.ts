import type { Attribute } from '../../attio/types.ts';
import { AttributeValueError } from '../../attio/values/codec.ts';
import { writeValues } from '../../attio/values/write.ts';
import type { EntityRow } from '../../domain/entities.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import { fieldOf } from '../../domain/mapping.ts';
import type { OutboxRow, WriteBase, WriteIntent } from '../../domain/outbox.ts';
import { inputFor } from '../sync/fields.ts';
import type { Mapping } from '../sync/mapping.ts';
import { type Attributes, isNameHalf, plainField, slugOf } from './fields.ts';
import type { Target } from './target.ts';

/** Of a row that restores: what the thing was before, to which a refusal goes back. */
export interface Undoing {
  /** ISO 8601 UTC. */
  readonly deletedAt: string;
  readonly recordId: string | null;
}

/** Such a row holds nothing that both sides agree on: there was no record. */
export function undoingBase({ deletedAt, recordId }: Undoing): WriteBase {
  return { deletedAt, recordId };
}

export function undoingOf({ base, acceptedAt }: OutboxRow): Undoing {
  const { deletedAt, recordId } = base;
  return {
    deletedAt: typeof deletedAt === 'string' ? deletedAt : acceptedAt,
    recordId: typeof recordId === 'string' ? recordId : null,
  };
}

/** What a thing shows, as a write of all of it: the values that it was archived with. */
export function archivedIntent(mapping: Mapping, entity: EntityRow): WriteIntent {
  const { kind, facts } = entity;
  const own = mapping.rules(kind).flatMap((rule): [string, Json][] => {
    const held = rule.form === 'company' ? companyOf(entity) : mapping.heldBy(entity, rule);
    // Phone numbers are among the attributes, all of them.
    if (rule.direction === 'none' || rule.form === 'phone' || isNothing(held ?? null)) return [];
    const converted = inputFor(rule, held);
    return 'value' in converted ? [[fieldOf(rule), converted.value]] : [];
  });
  const all = [
    ...Object.entries(facts.attributes),
    ...own,
    [mapping.keySlugs[kind], [...entity.keys]] as const,
  ];
  return Object.fromEntries(all.filter(([, value]) => !isNothing(value)));
}

function companyOf({ facts }: EntityRow): Json {
  const recordId = 'companyRecordId' in facts ? facts.companyRecordId : null;
  return recordId === null ? null : { object: 'companies', recordId };
}

/**
 * What of it is to be written now.
 *
 * Into a record that is there, what is empty; nothing into the very one that was deleted, which is back as it is. What the
 * workspace no longer takes (an attribute that is gone or that Attio sets itself, a value of another shape) is left out.
 */
export function fitArchive(row: OutboxRow, { snapshot }: Target, attributes: Attributes): WriteIntent {
  if (snapshot !== null && snapshot.recordId === undoingOf(row).recordId) return {};
  return Object.fromEntries(
    Object.entries(row.intent).filter(([field, input]) => {
      const attribute = attributes.get(slugOf(field));
      if (attribute === undefined || attribute.is_archived || !isTaken(field, attribute, input)) return false;
      return (
        snapshot === null ||
        attribute.is_multiselect ||
        isNothing(plainField(field, attribute, snapshot.values))
      );
    }),
  );
}

function isTaken(field: string, attribute: Attribute, input: Json): boolean {
  if (!attribute.is_writable) return false;
  if (isNameHalf(field)) return true;
  try {
    writeValues(attribute, input);
    return true;
  } catch (error) {
    if (error instanceof AttributeValueError) return false;
    throw error;
  }
}

function isNothing(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === null || value === '' || (isJsonObject(value) && Object.keys(value).length === 0);
}
