import type { Attribute } from '../../attio/types.ts';
import { readUnlisted, readValues } from '../../attio/values/read.ts';
import type { Item, ItemKind } from '../../domain/items.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';

/**
 * What internal systems see of an item.
 *
 * entries: `{stage: {id, title} | null, value: {amount, currencyCode} | null, attributes: {slug: plain}}`.
 * notes: `{title, content, contentPlaintext, createdBy}`. tasks: `{content, deadlineAt, isCompleted, completedAt,
 * assignees: [{type, id}], createdBy}`. comments: `{content, author: {type, id}, resolvedAt, resolvedBy}`.
 */
export type Shown = Pick<Item, 'shown' | 'stage' | 'amount' | 'currencyCode' | 'isCompleted'>;

export type Attributes = ReadonlyMap<string, Attribute>;

/** Which of a list's attributes are its stage and its value. */
export interface PipelineSlugs {
  readonly stage: string | null;
  readonly value: string | null;
}

/** The attribute of that name, else the first of its type. */
export function pipelineSlugs(attributes: Attributes): PipelineSlugs {
  const living = [...attributes.values()].filter((attribute) => !attribute.is_archived);
  const first = (types: readonly string[], name: string) => {
    const fitting = living.filter((attribute) => types.includes(attribute.type) && !attribute.is_multiselect);
    const named = fitting.find((attribute) => attribute.api_slug === name);
    return (named ?? fitting.find((attribute) => attribute.type === types[0]))?.api_slug ?? null;
  };
  return { stage: first(['status', 'select'], 'stage'), value: first(['currency', 'number'], 'value') };
}

/**
 * An item as it is shown: what both sides agree on, and over it what is on its way.
 * @param attributes of the entry's list; null for the other kinds
 */
export function show(
  kind: ItemKind,
  body: JsonObject,
  intents: readonly WriteIntent[],
  attributes: Attributes | null,
): Shown {
  if (kind === 'entries') return showEntry(body, intents, attributes ?? new Map());
  const shown = intents.reduce<JsonObject>((so, intent) => overlayMembers(so, intent), body);
  const isCompleted = shown['isCompleted'];
  return {
    shown,
    stage: null,
    amount: null,
    currencyCode: null,
    isCompleted: typeof isCompleted === 'boolean' ? isCompleted : null,
  };
}

/** Members of an intent that say where to, or how, not what. No slug of an attribute has a capital letter. */
const ADDRESS: ReadonlySet<string> = new Set(['onEntry', 'noteFormat', 'allowDuplicate']);

function overlayMembers(shown: JsonObject, intent: WriteIntent): JsonObject {
  const members = Object.entries(intent).filter(([name]) => !ADDRESS.has(name));
  return { ...shown, ...Object.fromEntries(members) };
}

const BOOKKEEPING: ReadonlySet<string> = new Set(['entry_id', 'created_at', 'created_by', 'parent_record']);

function showEntry(body: JsonObject, intents: readonly WriteIntent[], attributes: Attributes): Shown {
  const values = body as RecordValues; // the body of an entry is its values
  const agreed = Object.entries(values)
    .filter(([slug]) => !BOOKKEEPING.has(slug))
    .map(([slug, ofSlug]) => [slug, plain(attributes.get(slug), ofSlug)] as const);
  const all = intents.reduce<Readonly<Record<string, Json>>>(
    (so, intent) => overlayValues(so, intent),
    Object.fromEntries(agreed),
  );
  const slugs = pipelineSlugs(attributes);
  const stage = slugs.stage === null ? null : choiceOf(all[slugs.stage]);
  const value = slugs.value === null ? null : moneyOf(all[slugs.value], attributes.get(slugs.value));
  const rest = Object.entries(all).filter(([slug]) => slug !== slugs.stage && slug !== slugs.value);
  return {
    shown: { stage, value, attributes: Object.fromEntries(rest) },
    stage: stage === null ? null : (stage.id ?? stage.title),
    amount: value?.amount ?? null,
    currencyCode: value?.currencyCode ?? null,
    isCompleted: null,
  };
}

/** An attribute may be newer than the schema we hold: its values say their own type. */
function plain(attribute: Attribute | undefined, values: RecordValues[string]): Json {
  return attribute === undefined ? readUnlisted(values) : readValues(attribute, values);
}

function overlayValues(shown: Readonly<Record<string, Json>>, intent: WriteIntent) {
  const written = Object.entries(intent).filter(([slug]) => !ADDRESS.has(slug));
  const over = written.map(([slug, input]) => [slug, writtenOver(shown[slug], input)] as const);
  return { ...shown, ...Object.fromEntries(over) };
}

/** Attio puts what is added before what is there. */
function writtenOver(before: Json | undefined, input: Json): Json {
  if (input === null) return Array.isArray(before) ? [] : null;
  if (isJsonObject(input) && Array.isArray(input['replace'])) return input['replace'];
  if (!Array.isArray(before)) return input;
  const added = Array.isArray(input) ? input : [input];
  const there = new Set(added.map((value) => JSON.stringify(value)));
  return [...added, ...before.filter((value) => !there.has(JSON.stringify(value)))];
}

function choiceOf(value: Json | undefined): { id: string | null; title: string | null } | null {
  if (typeof value === 'string') return { id: null, title: value };
  if (!isJsonObject(value)) return null;
  const [id, title] = [value['id'], value['title']];
  return { id: typeof id === 'string' ? id : null, title: typeof title === 'string' ? title : null };
}

function moneyOf(
  value: Json | undefined,
  attribute: Attribute | undefined,
): { amount: number; currencyCode: string | null } | null {
  const given = isJsonObject(value) ? value['amount'] : value;
  const amount = typeof given === 'number' || typeof given === 'string' ? Number(given) : Number.NaN;
  if (!Number.isFinite(amount)) return null;
  const code = isJsonObject(value) ? value['currencyCode'] : null;
  const own = attribute?.config?.currency?.default_currency_code ?? null;
  return { amount, currencyCode: typeof code === 'string' ? code : own };
}

/** The members that differ between two forms of an item: of entries by slug; sorted. */
export function changedMembers(kind: ItemKind, before: JsonObject | null, after: JsonObject): string[] {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after)]);
  const text = (value: Json | undefined) => JSON.stringify(value ?? (kind === 'entries' ? [] : null));
  return [...names]
    .filter((name) => kind !== 'entries' || !BOOKKEEPING.has(name))
    .filter((name) => text(before?.[name]) !== text(after[name]))
    .sort();
}
