import type { Json } from './json.ts';
import type { SyncFailure } from './sync-state.ts';

/** Attributes that have no member of their own, by slug, in the plain form that our REST shows. */
export type PlainAttributes = { readonly [slug: string]: Json };

/** What internal systems see of a person, as drawn from its Attio record. */
export interface ContactFacts {
  readonly emails: readonly string[];
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly phone: string | null;
  readonly jobTitle: string | null;
  readonly companyRecordId: string | null;
  readonly attributes: PlainAttributes;
}

/** What internal systems see of a company. */
export interface CompanyFacts {
  readonly domains: readonly string[];
  readonly name: string | null;
  readonly attributes: PlainAttributes;
}

/** What a thing of ours has beside its facts. Times are ISO 8601 UTC. */
export interface EntityHead {
  /** Ours. A thing first seen in Attio bears its record id. */
  readonly id: string;
  readonly recordId: string | null;
  /** The internal systems' own id; unknown to Attio. */
  readonly externalId: string | null;
  readonly webUrl: string | null;
  /** Counts the changes to this thing, from 1. */
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly deletedAt: string | null;
}

export interface Contact extends EntityHead, ContactFacts {
  /** The first of `emails`; null when Attio has none. */
  readonly email: string | null;
}

export interface Company extends EntityHead, CompanyFacts {
  /** The first of `domains`. */
  readonly domain: string | null;
}

/** The objects that internal systems know as things of their own, with the keys they are found by. */
export type EntityKind = 'people' | 'companies';

export interface EntityRow extends EntityHead {
  readonly kind: EntityKind;
  readonly facts: ContactFacts | CompanyFacts;
  /** Lower-case e-mail addresses or domains. */
  readonly keys: readonly string[];
  readonly mergedInto: string | null;
  /** Why its last write failed for good; null when it did not. */
  readonly syncFailure: SyncFailure | null;
}
