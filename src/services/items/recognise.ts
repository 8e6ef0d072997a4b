import type { Item, ItemKind, ItemLink, ItemPlace, ItemSnapshot } from '../../domain/items.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { OutboxRow } from '../../domain/outbox.ts';

/** How far apart two clocks, and two spellings of an instant, may be. */
const TOLERANCE_MS = 2 * 60_000;

/** What is being made, and where. */
export interface Sought extends Pick<Item, 'kind' | 'createdAt' | 'links'>, ItemPlace {
  readonly creation: OutboxRow<ItemKind>;
}

/**
 * Whether what Attio shows is what a request of ours has made, whose answer we have not heard.
 *
 * Attio offers no key of its own for requests. Notes and comments bear the instant that we gave them; tasks and entries
 * must have come to be after the request was first sent. They are where they were to be made, say what was asked for,
 * and were not made by hand.
 *
 * @param entityOf our id of the thing that a record of Attio's is of, for links whose records are not known
 */
export function isSameThing(
  sought: Sought,
  snapshot: ItemSnapshot,
  entityOf: (link: ItemSnapshot['links'][number]) => string | null = () => null,
): boolean {
  const isLinked = (link: ItemLink) =>
    snapshot.links.some(
      (seen) =>
        seen.recordId === link.recordId || (link.entityId !== null && entityOf(seen) === link.entityId),
    );
  // A thread is a place of its own.
  const isThere =
    sought.threadId !== null ||
    (sought.links.length === 0 ? snapshot.links.length === 0 : sought.links.every(isLinked));
  // Whoever made it, an entry that is its record's only one is what was asked for.
  const isOnlyOne = sought.kind === 'entries' && sought.creation.intent['allowDuplicate'] !== true;
  return isThere && (isOnlyOne || !isHandMade(snapshot)) && RULES[sought.kind](sought, snapshot);
}

const RULES: Readonly<Record<ItemKind, (sought: Sought, snapshot: ItemSnapshot) => boolean>> = {
  notes: ({ createdAt, creation: { intent } }, { body, createdAt: madeAt }) =>
    isSameInstant(createdAt, madeAt) &&
    isSameText(body['title'], intent['title']) &&
    (isSameText(body['contentPlaintext'], intent['content']) ||
      isSameText(body['content'], intent['content'])),
  comments: ({ createdAt, threadId, entryId, creation: { intent } }, seen) =>
    isSameInstant(createdAt, seen.createdAt) &&
    (threadId === null ? entryId === seen.entryId : threadId === seen.threadId) &&
    isSameText(seen.body['content'], intent['content']),
  tasks: ({ creation: { intent, sentAt } }, { body, createdAt: madeAt }) =>
    isAfter(madeAt, sentAt) &&
    isSameText(body['content'], intent['content']) &&
    instantOf(body['deadlineAt']) === instantOf(intent['deadlineAt']),
  entries: ({ listId, creation: { sentAt } }, seen) =>
    listId === seen.listId && isAfter(seen.createdAt, sentAt),
};

/** Attio may cut what is finer than a second. */
function isSameInstant(a: string, b: string): boolean {
  return Math.abs(Date.parse(a) - Date.parse(b)) < 1_000;
}

function isAfter(createdAt: string, sentAt: string | null): boolean {
  return sentAt !== null && Date.parse(createdAt) >= Date.parse(sentAt) - TOLERANCE_MS;
}

/** Whether somebody made it in Attio, as far as it says: comments do not, ours are in a member's name as well. */
export function isHandMade({ kind, body }: ItemSnapshot): boolean {
  if (kind === 'comments') return false;
  return isByHand(kind === 'entries' ? creatorOf(body) : body['createdBy']);
}

function isByHand(actor: Json | undefined): boolean {
  return isJsonObject(actor) && actor['type'] === 'workspace-member';
}

function creatorOf({ created_by: values }: JsonObject): Json {
  const [value] = Array.isArray(values) ? values : [];
  return isJsonObject(value) ? { type: value['referenced_actor_type'] ?? null } : null;
}

function isSameText(a: Json | undefined, b: Json | undefined): boolean {
  if (typeof a !== 'string' || typeof b !== 'string') return a === b;
  const [ofA, ofB] = [wordsOf(a), wordsOf(b)];
  return ofA === ofB && (ofA !== '' || a.trim() === b.trim());
}

/** Attio writes markdown anew: letters and digits are what stays. */
function wordsOf(text: string): string {
  return (text.normalize('NFKC').match(/[\p{L}\p{N}]+/gu) ?? []).join(' ');
}

function instantOf(value: Json | undefined): number | null {
  return typeof value === 'string' ? Date.parse(value) : null;
}
