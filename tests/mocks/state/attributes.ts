import { AttioError, attributeNotFound, invalid, notFound } from '../core/errors.ts';
import type { Attribute, DefaultValue, Stamp } from '../core/types.ts';
import { codecOf } from '../values/index.ts';
import { type AttributePatch, MULTI_TYPES, type NewAttribute } from './attribute-schemas.ts';
import { isDuration } from './defaults.ts';
import { addAttribute, relate } from './structure.ts';
import type { Table } from './table.ts';
import type { AttioObject, World } from './world.ts';

export interface Owner {
  readonly kind: 'objects' | 'lists';
  readonly id: string;
  readonly slug: string;
  readonly table: Table;
}

export function ownerOf(world: World, target: string, ref: string): Owner {
  if (target === 'objects') return { kind: 'objects', ...world.object(ref) };
  return { kind: 'lists', ...world.list(ref) };
}

export function attributeOf(owner: Owner, ref: string): Attribute {
  const attribute = owner.table.schema.find(ref);
  if (attribute === undefined) throw attributeNotFound(ref);
  return attribute;
}

export function emitAttribute(
  world: World,
  owner: Owner,
  attribute: Attribute,
  what: 'created' | 'updated',
  stamp: Stamp,
) {
  const ids = { attribute_id: attribute.id };
  if (owner.kind === 'objects')
    world.emit(`object-attribute.${what}`, { object_id: owner.id, ...ids }, stamp.actor);
  else world.emit(`list-attribute.${what}`, { list_id: owner.id, ...ids }, stamp.actor);
}

function checkSlug(owner: Owner, slug: string): void {
  if (!owner.table.schema.hasSlug(slug)) return;
  const noun = owner.kind === 'objects' ? 'object' : 'list';
  throw new AttioError(
    409,
    'slug_conflict',
    `An attribute with the same API slug already exists on this ${noun}. Please choose a different API slug.`,
  );
}

/** Custom unique attributes are for custom objects, deals, users and workspaces. */
function checkUnique(owner: Owner, unique: boolean): void {
  const barred = owner.kind === 'objects' && (owner.slug === 'people' || owner.slug === 'companies');
  if (unique && barred) throw invalid('Cannot set attribute as unique.');
}

function allowedIds(world: World, refs: readonly string[] | undefined): readonly string[] | null {
  if (refs === undefined || refs.length === 0) return null;
  return refs.map((ref) => {
    const object = world.findObject(ref);
    if (object === undefined) throw invalid(`Could not find an object with slug "${ref}".`);
    return object.id;
  });
}

function checkDefault(world: World, attribute: Attribute, value: DefaultValue | null): void {
  if (value === null) return;
  if (value.type === 'static') {
    for (const input of value.template) codecOf(attribute.type).parse(input, attribute, world);
    return;
  }
  const dated = attribute.type === 'date' || attribute.type === 'timestamp';
  const fits =
    attribute.type === 'actor-reference'
      ? value.template === 'current-user'
      : dated && isDuration(value.template);
  if (!fits) throw invalid(`"${value.template}" is not a dynamic default of a ${attribute.type} attribute.`);
}

function relatedObject(world: World, owner: Owner, draft: NewAttribute): AttioObject | null {
  if (draft.relationship === undefined || draft.relationship === null) return null;
  if (draft.type !== 'record-reference' || owner.kind !== 'objects') {
    throw invalid('Only record-reference attributes of objects can have a relationship.');
  }
  const object = world.findObject(draft.relationship.object);
  if (object === undefined) throw notFound(`Object with slug/ID "${draft.relationship.object}" not found.`);
  if (object.table.schema.hasSlug(draft.relationship.api_slug)) {
    throw new AttioError(409, 'slug_conflict', 'The related attribute has the API slug of another one.');
  }
  return object;
}

function checkDraft(owner: Owner, draft: NewAttribute): void {
  checkSlug(owner, draft.api_slug);
  checkUnique(owner, draft.is_unique);
  if (draft.is_multiselect && !MULTI_TYPES.has(draft.type)) {
    throw invalid(`Attributes of type "${draft.type}" cannot be multiselect.`);
  }
  if (draft.type === 'currency' && draft.config.currency === undefined) {
    throw invalid('Currency attributes need config.currency.');
  }
}

export function createAttribute(world: World, owner: Owner, draft: NewAttribute, stamp: Stamp): Attribute {
  checkDraft(owner, draft);
  const other = relatedObject(world, owner, draft);
  const allowed = allowedIds(world, draft.config.record_reference?.allowed_objects);
  const currency = draft.type === 'currency' ? draft.config.currency : undefined;
  const attribute = addAttribute(
    world,
    owner.table.schema,
    {
      slug: draft.api_slug,
      type: draft.type,
      title: draft.title,
      description: draft.description,
      required: draft.is_required,
      unique: draft.is_unique,
      multi: draft.is_multiselect,
      currencyCode: currency?.default_currency_code ?? null,
      currencyDisplay: currency?.display_type ?? null,
      allowedObjectIds: other === null ? allowed : [other.id],
    },
    stamp.at,
  );
  checkDefault(world, attribute, draft.default_value ?? null);
  attribute.defaultValue = draft.default_value ?? null;
  if (other !== null) addOtherEnd(world, owner, attribute, other, draft, stamp);
  emitAttribute(world, owner, attribute, 'created', stamp);
  return attribute;
}

function addOtherEnd(
  world: World,
  owner: Owner,
  one: Attribute,
  other: AttioObject,
  draft: NewAttribute,
  stamp: Stamp,
) {
  const related = draft.relationship;
  if (related === undefined || related === null) return;
  const { schema } = other.table;
  const reverse = {
    slug: related.api_slug,
    title: related.title,
    type: 'record-reference',
    multi: related.is_multiselect,
    allowedObjectIds: [owner.id],
  } as const;
  const added = addAttribute(world, schema, reverse, stamp.at);
  relate({ schema: owner.table.schema, slug: one.slug }, { schema, slug: added.slug });
  emitAttribute(world, { kind: 'objects', ...other }, added, 'created', stamp);
}

function applyConfig(world: World, attribute: Attribute, config: AttributePatch['config']): void {
  if (config?.currency !== undefined) {
    attribute.currencyCode = config.currency.default_currency_code;
    attribute.currencyDisplay = config.currency.display_type;
  }
  if (config?.record_reference !== undefined) {
    attribute.allowedObjectIds = allowedIds(world, config.record_reference.allowed_objects);
  }
}

export function updateAttribute(
  world: World,
  owner: Owner,
  attribute: Attribute,
  patch: AttributePatch,
  stamp: Stamp,
): void {
  if (attribute.system)
    throw new AttioError(400, 'system_edit_unauthorized', 'Cannot update a System attribute.');
  const { table } = owner;
  if (patch.api_slug !== undefined && patch.api_slug !== attribute.slug) {
    checkSlug(owner, patch.api_slug);
    table.schema.rename(attribute, patch.api_slug);
  }
  checkUnique(owner, patch.is_unique === true);
  if (patch.default_value !== undefined) {
    checkDefault(world, attribute, patch.default_value);
    attribute.defaultValue = patch.default_value;
  }
  if (patch.is_unique === true && !attribute.unique) table.makeUnique(attribute);
  attribute.unique = patch.is_unique ?? attribute.unique;
  attribute.title = patch.title ?? attribute.title;
  attribute.description = patch.description === undefined ? attribute.description : patch.description;
  attribute.required = patch.is_required ?? attribute.required;
  attribute.archived = patch.is_archived ?? attribute.archived;
  applyConfig(world, attribute, patch.config);
  emitAttribute(world, owner, attribute, 'updated', stamp);
}
