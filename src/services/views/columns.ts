import type { Attribute } from '../../attio/types.ts';
import type { ViewColumn, ViewColumnType } from '../../domain/views.ts';

/** An attribute type as a column: its type, and where in one of Attio's raw values the plain value is. */
type Shape = readonly [ViewColumnType, ...(readonly string[])[]];

/** Every type that Attio documents whose value is more telling alone than whole. */
const SHAPES: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  ['text', ['text', ['value']]],
  ['number', ['number', ['value']]],
  ['rating', ['number', ['value']]],
  ['checkbox', ['boolean', ['value']]],
  ['date', ['date', ['value']]],
  ['timestamp', ['timestamp', ['value']]],
  ['currency', ['number', ['currency_value']]],
  ['personal-name', ['text', ['full_name']]],
  ['email-address', ['text', ['email_address']]],
  ['domain', ['text', ['domain']]],
  // In E.164; the second is its name in older documentation.
  ['phone-number', ['text', ['phone_number'], ['normalized_phone_number'], ['original_phone_number']]],
  ['select', ['text', ['option', 'title']]],
  ['status', ['text', ['status', 'title']]],
  ['record-reference', ['text', ['target_record_id']]],
  ['actor-reference', ['text', ['referenced_actor_id']]],
  ['interaction', ['timestamp', ['interacted_at']]],
]);

/** A place has no one plain value, and of a type that is not known here nobody can say which it is. */
const WHOLE: Shape = ['json', []];

/** Members that tell about a value and are not part of it. */
const BOOKKEEPING = ['active_from', 'active_until', 'created_by_actor', 'attribute_type'];

/** The columns of an object's view, one for each attribute that is not archived, in the given order. */
export function viewColumnsOf(
  attributes: readonly Pick<Attribute, 'api_slug' | 'type' | 'is_multiselect' | 'is_archived'>[],
): ViewColumn[] {
  return attributes
    .filter((attribute) => !attribute.is_archived)
    .map((attribute) => {
      const [type, ...paths] = SHAPES.get(attribute.type) ?? WHOLE;
      const without = type === 'json' ? BOOKKEEPING : [];
      return { slug: attribute.api_slug, type, multi: attribute.is_multiselect, paths, without };
    });
}
