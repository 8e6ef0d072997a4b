import type { Attribute, Row } from '../core/types.ts';
import type { ReadScope } from '../values/codec.ts';
import { readValue } from '../values/index.ts';
import type { Table } from './table.ts';
import { shownAttributes, valuesOf } from './values-of.ts';
import type { AttioList, AttioObject, World } from './world.ts';

export function scopeOf(world: World, table: Table): ReadScope {
  return { workspaceId: world.workspace.id, schemaId: table.schema.id, lookup: world };
}

const EMPTY: readonly never[] = [];

/** Every attribute is an array, empty when unset; keys are slugs whatever the write used. */
function renderValues(world: World, table: Table, row: Row): Record<string, unknown> {
  const scope = scopeOf(world, table);
  const out: Record<string, unknown> = {};
  for (const attribute of shownAttributes(table.schema)) {
    const values = valuesOf(row, attribute);
    out[attribute.slug] =
      values.length === 0 ? EMPTY : values.map((value) => readValue(value, attribute, scope));
  }
  return out;
}

const URL_NAMES: Readonly<Record<string, string>> = { people: 'person', companies: 'company' };

export function renderRecord(world: World, object: AttioObject, row: Row): Record<string, unknown> {
  const place = URL_NAMES[object.slug] ?? `${object.slug}/record`;
  return {
    id: { workspace_id: world.workspace.id, object_id: object.id, record_id: row.id },
    created_at: row.createdAt,
    web_url: `https://app.attio.com/${world.workspace.slug}/${place}/${row.id}`,
    values: renderValues(world, object.table, row),
  };
}

export function renderEntry(world: World, list: AttioList, entry: Row): Record<string, unknown> {
  return {
    id: { workspace_id: world.workspace.id, list_id: list.id, entry_id: entry.id },
    parent_record_id: entry.parent?.recordId,
    parent_object: world.objectSlugOf(entry.parent?.objectId ?? ''),
    created_at: entry.createdAt,
    entry_values: renderValues(world, list.table, entry),
  };
}

export function renderObject(world: World, object: AttioObject): Record<string, unknown> {
  return {
    id: { workspace_id: world.workspace.id, object_id: object.id },
    api_slug: object.slug,
    singular_noun: object.singular,
    plural_noun: object.plural,
    created_at: object.createdAt,
  };
}

export function renderList(world: World, list: AttioList): Record<string, unknown> {
  return {
    id: { workspace_id: world.workspace.id, list_id: list.id },
    api_slug: list.slug,
    name: list.name,
    parent_object: list.parentObjectIds.map((id) => world.objectSlugOf(id)),
    workspace_access: list.workspaceAccess,
    workspace_member_access: list.memberAccess,
    created_by_actor: list.createdBy,
    created_at: list.createdAt,
  };
}

function renderRelationship(world: World, attribute: Attribute): Record<string, unknown> | null {
  if (attribute.relationship === null) return null;
  const object = world.findObject(attribute.relationship.objectId);
  const other = object?.table.schema.find(attribute.relationship.attributeId);
  if (object === undefined || other === undefined) return null;
  return {
    id: { workspace_id: world.workspace.id, object_id: object.id, attribute_id: other.id },
    object_slug: object.slug,
    title: other.title,
    api_slug: other.slug,
    is_multiselect: other.multi,
  };
}

function renderDefault(attribute: Attribute): unknown {
  if (attribute.defaultValue === null || attribute.defaultValue.type === 'dynamic')
    return attribute.defaultValue;
  const template = attribute.defaultValue.template.map((value) => ({
    ...value,
    attribute_type: attribute.type,
  }));
  return { type: 'static', template };
}

export function renderAttribute(world: World, table: Table, attribute: Attribute): Record<string, unknown> {
  return {
    id: { workspace_id: world.workspace.id, object_id: table.schema.id, attribute_id: attribute.id },
    title: attribute.title,
    description: attribute.description,
    api_slug: attribute.slug,
    type: attribute.type,
    is_system_attribute: attribute.system,
    is_writable: attribute.writable,
    is_required: attribute.required,
    is_unique: attribute.unique,
    is_multiselect: attribute.multi,
    is_default_value_enabled: attribute.defaultValue !== null,
    is_archived: attribute.archived,
    default_value: renderDefault(attribute),
    relationship: renderRelationship(world, attribute),
    created_at: attribute.createdAt,
    config: {
      currency: { default_currency_code: attribute.currencyCode, display_type: attribute.currencyDisplay },
      record_reference: { allowed_object_ids: attribute.allowedObjectIds },
    },
  };
}
