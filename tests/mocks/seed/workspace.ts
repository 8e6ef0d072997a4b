import { nanoIso } from '../core/clock.ts';
import type { Actor, Attribute } from '../core/types.ts';
import { addAttribute, addChoice, newList, newObject, relate } from '../state/structure.ts';
import type { AttioObject, World } from '../state/world.ts';
import {
  CHOICES,
  COMPANIES,
  COMPANIES_CUSTOM,
  DEAL_STAGES,
  DEALS,
  DEALS_CUSTOM,
  LISTS,
  type ListSeed,
  PEOPLE,
  PEOPLE_CUSTOM,
  TAGS,
} from './attributes.ts';

const MEMBERS = [
  ['Robin', 'Example', 'robin@example.com', 'admin'],
  ['Sam', 'Sample', 'sam@example.com', 'member'],
  ['Alex', 'Placeholder', 'alex@example.com', 'member'],
] as const;

export interface StandardObjects {
  readonly people: AttioObject;
  readonly companies: AttioObject;
  readonly deals: AttioObject;
}

export interface WorkspaceSeed {
  readonly objects: StandardObjects;
  /** Whoever set the workspace up. */
  readonly founder: Actor;
}

function attribute(object: AttioObject, slug: string): Attribute {
  const found = object.table.schema.find(slug);
  if (found === undefined) throw new Error(`seed: no attribute ${slug}`);
  return found;
}

function addCustom(world: World, object: AttioObject, drafts: typeof PEOPLE, at: string): void {
  for (const draft of drafts) addAttribute(world, object.table.schema, draft, at);
}

function addChoices(world: World, object: AttioObject): void {
  for (const one of object.table.schema.attributes) {
    for (const title of CHOICES[one.slug] ?? []) addChoice(world, one, title);
  }
}

function pointTo(object: AttioObject, slug: string, target: AttioObject): void {
  Object.assign(attribute(object, slug), { allowedObjectIds: [target.id] });
}

function relateObjects({ people, companies, deals }: StandardObjects): void {
  const pairs = [
    [people, 'company', companies, 'team'],
    [deals, 'associated_people', people, 'associated_deals'],
    [deals, 'associated_company', companies, 'associated_deals'],
  ] as const;
  for (const [one, slug, other, otherSlug] of pairs) {
    pointTo(one, slug, other);
    pointTo(other, otherSlug, one);
    relate({ schema: one.table.schema, slug }, { schema: other.table.schema, slug: otherSlug });
  }
  pointTo(people, 'referred_by', people);
}

function addStages(world: World, one: Attribute, titles: readonly string[]): void {
  for (const title of titles) addChoice(world, one, title);
}

function seedList(world: World, seed: ListSeed, parent: AttioObject, founder: Actor, at: string): void {
  const list = newList(world, { slug: seed.slug, name: seed.name, parent, createdBy: founder }, at);
  for (const draft of seed.attributes) {
    const added = addAttribute(world, list.table.schema, draft, at);
    if (draft.type === 'status') addStages(world, added, seed.stages);
    if (draft.slug === 'tags') addStages(world, added, TAGS);
  }
}

export interface DealSettings {
  readonly dealOwnerRequired: boolean;
  readonly dealExternalId: boolean;
}

/** Objects, attributes, lists and members: the same for every sandbox of one seed. */
export function seedWorkspace(world: World, startMs: number, settings: DealSettings): WorkspaceSeed {
  const at = nanoIso(startMs);
  for (const [firstName, lastName, email, accessLevel] of MEMBERS) {
    world.members.push({ id: world.newId(), firstName, lastName, email, accessLevel, createdAt: at });
  }
  const founder: Actor = { type: 'workspace-member', id: world.members[0]?.id ?? null };
  const objects = {
    people: newObject(
      world,
      { slug: 'people', singular: 'Person', plural: 'People', attributes: PEOPLE },
      at,
    ),
    companies: newObject(
      world,
      { slug: 'companies', singular: 'Company', plural: 'Companies', attributes: COMPANIES },
      at,
    ),
    deals: newObject(world, { slug: 'deals', singular: 'Deal', plural: 'Deals', attributes: DEALS }, at),
  };
  addCustom(world, objects.people, PEOPLE_CUSTOM, at);
  addCustom(world, objects.companies, COMPANIES_CUSTOM, at);
  for (const object of Object.values(objects)) addChoices(world, object);
  addStages(world, attribute(objects.deals, 'stage'), DEAL_STAGES);
  if (!settings.dealOwnerRequired)
    attribute(objects.deals, 'owner').defaultValue = { type: 'dynamic', template: 'current-user' };
  relateObjects(objects);
  for (const seed of LISTS) seedList(world, seed, objects[seed.parent], founder, at);
  // Last, so that everything else has the same ids with it and without.
  if (settings.dealExternalId) addCustom(world, objects.deals, DEALS_CUSTOM, at);
  return { objects, founder };
}
