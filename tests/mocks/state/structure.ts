import type { Actor, Attribute, Choice } from '../core/types.ts';
import { type AttributeDraft, newAttribute, Schema } from './schema.ts';
import { Table } from './table.ts';
import type { AttioList, AttioObject, World } from './world.ts';

const CREATED: readonly AttributeDraft[] = [
  { slug: 'created_at', type: 'timestamp', title: 'Created at', system: true, writable: false },
  { slug: 'created_by', type: 'actor-reference', title: 'Created by', system: true, writable: false },
];

const RECORD_ID: AttributeDraft = {
  slug: 'record_id',
  type: 'text',
  title: 'Record ID',
  system: true,
  writable: false,
  unique: true,
};

const ENTRY_ID: AttributeDraft = {
  slug: 'entry_id',
  type: 'text',
  title: 'Entry ID',
  system: true,
  writable: false,
};

export function addAttribute(world: World, schema: Schema, draft: AttributeDraft, at: string): Attribute {
  return schema.add(newAttribute(world.newId(), at, draft));
}

export function addChoice(world: World, attribute: Attribute, title: string): Choice {
  const choice = { id: world.newId(), title, archived: false, celebration: false, targetTime: null };
  attribute.choices.push(choice);
  return choice;
}

interface ObjectDraft {
  readonly slug: string;
  readonly singular: string;
  readonly plural: string;
  readonly attributes?: readonly AttributeDraft[];
}

/** A new object has its system attributes from the start: the id first, the creation last. */
export function newObject(world: World, draft: ObjectDraft, at: string): AttioObject {
  const schema = new Schema({ kind: 'objects', id: world.newId() });
  for (const one of [RECORD_ID, ...(draft.attributes ?? []), ...CREATED])
    addAttribute(world, schema, one, at);
  const { slug, singular, plural } = draft;
  const object = { id: schema.id, slug, singular, plural, createdAt: at, table: new Table(schema) };
  world.objects.push(object);
  return object;
}

interface ListDraft {
  readonly slug: string;
  readonly name: string;
  readonly parent: AttioObject;
  readonly createdBy: Actor;
  readonly workspaceAccess?: string | null;
  readonly memberAccess?: AttioList['memberAccess'];
}

export function newList(world: World, draft: ListDraft, at: string): AttioList {
  const schema = new Schema({ kind: 'lists', id: world.newId() });
  for (const one of [ENTRY_ID, ...CREATED]) addAttribute(world, schema, one, at);
  const list: AttioList = {
    id: schema.id,
    slug: draft.slug,
    name: draft.name,
    parentObjectIds: [draft.parent.id],
    workspaceAccess: draft.workspaceAccess === undefined ? 'full-access' : draft.workspaceAccess,
    memberAccess: draft.memberAccess ?? [],
    createdBy: draft.createdBy,
    createdAt: at,
    table: new Table(schema),
    byParent: new Map(),
  };
  world.lists.push(list);
  return list;
}

/** Makes two references the two ends of one relationship. */
export function relate(a: { schema: Schema; slug: string }, b: { schema: Schema; slug: string }): void {
  const [one, other] = [a.schema.find(a.slug), b.schema.find(b.slug)];
  if (one === undefined || other === undefined) throw new Error(`no such ends: ${a.slug}, ${b.slug}`);
  one.relationship = { objectId: b.schema.id, attributeId: other.id };
  other.relationship = { objectId: a.schema.id, attributeId: one.id };
}
