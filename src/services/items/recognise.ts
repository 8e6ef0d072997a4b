import type { Item, ItemKind, ItemSnapshot } from '../../domain/items.ts';
import type { Json } from '../../domain/json.ts';
import type { OutboxRow } from '../../domain/outbox.ts';

/** How far apart two clocks, and two spellings of an instant, may be. */
const TOLERANCE_MS = 2 * 60_000;

/**
 * Whether what Attio shows is what a request of ours has made, whose answer we have not heard.
 *
 * Attio offers no key of its own for requests. Notes and comments bear the instant that we gave them; tasks and entries
 * must have come to be after the request was first sent. And they say what was asked for.
 */
export function isSameThing(item: Item, creation: OutboxRow<ItemKind>, snapshot: ItemSnapshot): boolean {
  return RULES[item.kind](item, creation, snapshot);
}

type Rule = (item: Item, creation: OutboxRow<ItemKind>, snapshot: ItemSnapshot) => boolean;

const RULES: Readonly<Record<ItemKind, Rule>> = {
  notes: (item, { intent }, { body, createdAt }) =>
    isInstantOf(item, createdAt) &&
    words(body['title']) === words(intent['title']) &&
    (words(body['contentPlaintext']) === words(intent['content']) ||
      words(body['content']) === words(intent['content'])),
  comments: (item, { intent }, { body, createdAt }) =>
    isInstantOf(item, createdAt) && words(body['content']) === words(intent['content']),
  tasks: (_item, { intent, sentAt }, { body, createdAt }) =>
    isAfter(createdAt, sentAt) &&
    words(body['content']) === words(intent['content']) &&
    sameInstant(body['deadlineAt'], intent['deadlineAt']),
  entries: (item, { sentAt }, { listId, createdAt }) => item.listId === listId && isAfter(createdAt, sentAt),
};

/** Attio may cut what is finer than a second. */
function isInstantOf(item: Item, createdAt: string): boolean {
  return Math.abs(Date.parse(item.createdAt) - Date.parse(createdAt)) < 1_000;
}

function isAfter(createdAt: string, sentAt: string | null): boolean {
  return sentAt !== null && Date.parse(createdAt) >= Date.parse(sentAt) - TOLERANCE_MS;
}

/** Attio writes markdown anew: letters and digits are what stays. */
function words(text: Json | undefined): string {
  return typeof text === 'string' ? (text.normalize('NFKC').match(/[\p{L}\p{N}]+/gu) ?? []).join(' ') : '';
}

function sameInstant(a: Json | undefined, b: Json | undefined): boolean {
  return instantOf(a) === instantOf(b);
}

function instantOf(value: Json | undefined): number | null {
  return typeof value === 'string' ? Date.parse(value) : null;
}
