/**
 * Echoes: what we write to Attio comes back as webhooks, one event for each attribute that was written.
 *
 * Events bear ids only. That of a person who edits the same attribute a moment later looks the same as our echo, may come
 * before it, and may be the only one that comes; `actor` may be us when it was a workflow under our token. So nothing in
 * an event proves that it brings nothing new, with one exception: a thing is made once. That it was made is no news of a
 * thing that we have made and that is mirrored here. For all others the rule is: what an event tells of is in every read
 * that begins after it came. So the events of one write may share one read, if that waits until they have come.
 */

/** What is told of a thing: the id of an attribute of it, or one of these. */
export const CREATION = 'creation';
/** Its members, which are told together. */
export const MEMBERS = 'members';

/** One thing that a write of ours has left in Attio. */
export interface EchoLine {
  /** Object slug, or the kind of an item. */
  readonly kind: string;
  readonly attioId: string;
  readonly aspect: string;
  /** SHA-256 (hex) of what it held then, without times and authors. */
  readonly hash: string;
  /** ISO 8601 UTC. */
  readonly writtenAt: string;
}

/** What an event says, beside which thing it is about. */
export interface EventFacts {
  /** Null: it does not say what has changed. */
  readonly aspect: string | null;
  /** As Attio names it; null when it does not. */
  readonly actorType: string | null;
  /** @unit ms */
  readonly receivedAt: number;
}

/** What we know of writes of ours to the thing that an event is about. */
export interface OwnWrites {
  /** When one that is settled has last written what the event is about; null: none that is kept. @unit ms */
  readonly writtenAt: number | null;
  /** One of this thing, or one that makes a thing of its kind, is on its way. */
  readonly isPending: boolean;
}

export interface EchoTimes {
  /** How long an echo waits for the others of its write. */
  readonly gatherMs: number;
  /** How long after a write its echoes are expected. */
  readonly expectedMs: number;
}

export type EchoDecision =
  /** It tells that a thing was made which we have made: no news, if the thing is mirrored. */
  | 'no-news'
  /** A write that is on its way may have made it: ask again a little later. */
  | 'ask-again'
  /** It may be one of several echoes: they share a read. */
  | 'gather'
  | 'read';

/** Whom Attio names for what we do by a token. A hint for when to read, never for whether. */
const NOT_US: ReadonlySet<string> = new Set(['workspace-member', 'system']);

/** What is to be done about an event. */
export function decideEcho(
  event: EventFacts,
  own: OwnWrites,
  { gatherMs, expectedMs }: EchoTimes,
  now: number,
): EchoDecision {
  const isExpected = own.writtenAt !== null && now - own.writtenAt <= expectedMs;
  if (event.aspect === CREATION && isExpected) return 'no-news';
  const mayBeOurs = event.aspect !== null && !NOT_US.has(event.actorType ?? '');
  if (!mayBeOurs || event.receivedAt + gatherMs <= now) return 'read';
  if (event.aspect === CREATION) return own.isPending ? 'ask-again' : 'read';
  return isExpected || own.isPending ? 'gather' : 'read';
}
