import { createHash } from 'node:crypto';
import type { EchoLine } from '../../domain/echoes.ts';
import type { ItemSnapshot } from '../../domain/items.ts';
import { canonicalJson, type Json } from '../../domain/json.ts';
import type { AttributeValues, RecordValues } from '../../domain/records.ts';
import type { Attributes } from '../outbox/fields.ts';

/** A thing in Attio that webhooks tell of. */
export interface EchoThing {
  /** Object slug, or the kind of an item. */
  readonly kind: string;
  readonly attioId: string;
}

/** What a thing holds, by aspect. */
export type Contents = ReadonlyMap<string, Json>;

export function linesOf({ kind, attioId }: EchoThing, contents: Contents, writtenAt: string): EchoLine[] {
  return [...contents].map(([aspect, content]) => {
    const hash = contentHash({ kind, attioId }, aspect, content);
    return { kind, attioId, aspect, hash, writtenAt };
  });
}

/** The thing is part of what is hashed: equal values of two people have nothing in common. */
export function contentHash({ kind, attioId }: EchoThing, aspect: string, content: Json): string {
  return createHash('sha256')
    .update(canonicalJson([kind, attioId, aspect, content]))
    .digest('hex');
}

/** The values of some attributes, as events name these. @param slugs those that the object lacks are left out */
export function contentsOf(attributes: Attributes, values: RecordValues, slugs: Iterable<string>): Contents {
  const contents = new Map<string, Json>();
  for (const slug of slugs) {
    const id = attributes.get(slug)?.id.attribute_id.toLowerCase();
    if (id !== undefined) contents.set(id, withoutStamps(values[slug] ?? []));
  }
  return contents;
}

/** The values of one attribute by its id; undefined when the object has none such. */
export function contentOf(
  attributes: Attributes,
  values: RecordValues,
  attributeId: string,
): Json | undefined {
  const named = [...attributes.values()].find(
    ({ id }) => id.attribute_id.toLowerCase() === attributeId,
  )?.api_slug;
  return named === undefined ? undefined : withoutStamps(values[named] ?? []);
}

/** What an item holds whose members are told of together. */
export function membersOf({ links, body }: Pick<ItemSnapshot, 'links' | 'body'>): Json {
  return [links.map(({ object, recordId }) => [object, recordId]), body];
}

/** The same value entered again is still the same. */
function withoutStamps(values: AttributeValues): Json {
  return values.map(({ active_from: _from, active_until: _until, created_by_actor: _by, ...value }) => value);
}
