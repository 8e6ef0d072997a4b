import type { JsonObject } from './json.ts';

/** All values of one attribute, as Attio reads them: always a list, empty when unset, newest first. */
export type AttributeValues = readonly JsonObject[];

/** Values by attribute slug. */
export type RecordValues = { readonly [slug: string]: AttributeValues };

/** What one read of Attio said about one record. */
export interface RecordSnapshot {
  /** Object slug, such as `people`. */
  readonly object: string;
  readonly recordId: string;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
  readonly webUrl: string | null;
  readonly values: RecordValues;
  /** The instant the read reflects, in Attio's clock: ISO 8601 with nine fractional digits, so that texts sort by time. */
  readonly readAt: string;
}

/** A record as the local database holds it. */
export interface MirroredRecord extends RecordSnapshot {
  /** SHA-256 (base64url) of what is compared, as a text: web address and values. */
  readonly hash: string;
  readonly deletedAt: string | null;
  /** The survivor's record id, when this record was merged away. */
  readonly mergedInto: string | null;
  /** Removed here by DELETE: what Attio says of it is not taken in. */
  readonly hidden: boolean;
}

/** One that is to be stored. */
export interface WrittenRecord extends MirroredRecord {
  /** The values as JSON, where that was made already. */
  readonly valuesText?: string;
}

/** The slugs whose values differ between two reads, sorted. @param before undefined: there was none */
export function changedSlugs(
  before: RecordValues | undefined,
  after: RecordValues,
  equal: (a: AttributeValues, b: AttributeValues) => boolean,
): string[] {
  if (before === undefined) return setSlugs(after);
  const slugs = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...slugs].filter((slug) => !equal(before[slug] ?? [], after[slug] ?? [])).sort();
}

function setSlugs(values: RecordValues): string[] {
  const slugs: string[] = [];
  for (const slug in values) if ((values[slug]?.length ?? 0) > 0) slugs.push(slug);
  return slugs.sort();
}
