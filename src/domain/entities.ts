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
  /** Fields that the configuration adds, by name; left out when it adds none. */
  readonly fields?: PlainAttributes;
}

/** What internal systems see of a company. */
export interface CompanyFacts {
  readonly domains: readonly string[];
  readonly name: string | null;
  readonly attributes: PlainAttributes;
  /** Fields that the configuration adds, by name; left out when it adds none. */
  readonly fields?: PlainAttributes;
}

/** A stage or an option. A title that Attio has not confirmed has no id yet. */
export interface PlainChoice {
  readonly id: string | null;
  readonly title: string | null;
}

export interface Money {
  readonly amount: number;
  /** The attribute's own. */
  readonly currencyCode: string | null;
}

/** What internal systems see of a deal. */
export interface DealFacts {
  /** The internal systems' own id, kept in an attribute of Attio's; null for a deal that was made there. */
  readonly externalId: string | null;
  readonly name: string | null;
  readonly stage: PlainChoice | null;
  readonly value: Money | null;
  readonly companyRecordId: string | null;
  readonly contactRecordIds: readonly string[];
  /** Of the workspace member. */
  readonly ownerId: string | null;
  readonly attributes: PlainAttributes;
  /** Fields that the configuration adds, by name; left out when it adds none. */
  readonly fields?: PlainAttributes;
}

export type Facts = ContactFacts | CompanyFacts | DealFacts;

/** What a thing of ours has beside its facts. Times are ISO 8601 UTC. */
export interface EntityHead {
  /** Ours. A thing first seen in Attio bears its record id. */
  readonly id: string;
  readonly recordId: string | null;
  /** The internal systems' own id; unknown to Attio, but for a deal's. */
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

export interface Deal extends EntityHead, DealFacts {
  readonly externalId: string | null;
  /** Null when the member is not known here. */
  readonly ownerEmail: string | null;
}

/** What is in one stage. */
export interface StageTotal {
  /** Null while Attio has not confirmed the stage. */
  readonly stageId: string | null;
  readonly title: string | null;
  readonly count: number;
  readonly valueTotal: number;
  /** Null when there is no value, or values of several currencies. */
  readonly currencyCode: string | null;
}

/** The objects that internal systems know as things of their own, with the keys they are found by. */
export const ENTITY_KINDS = ['people', 'companies', 'deals'] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

export interface EntityRow extends EntityHead {
  readonly kind: EntityKind;
  readonly facts: Facts;
  /** Lower-case e-mail addresses or domains; of a deal, the internal systems' id as it is. */
  readonly keys: readonly string[];
  readonly mergedInto: string | null;
  /** Why its last write failed for good; null when it did not. */
  readonly syncFailure: SyncFailure | null;
}

/** The keys by which Attio tells records apart: unique in a workspace. */
export function keysOf(facts: Facts): readonly string[] {
  if ('emails' in facts) return facts.emails;
  if ('domains' in facts) return facts.domains;
  return facts.externalId === null ? [] : [facts.externalId];
}

/** Keys as they are compared: addresses and domains in any case, a deal's as it is. */
export function normalKey(kind: EntityKind, key: string): string {
  return kind === 'deals' ? key : key.toLowerCase();
}

/** The facts of a thing of which nothing is known. */
export function blankFacts(kind: EntityKind): Facts {
  return BLANK[kind];
}

const BLANK: Readonly<Record<EntityKind, Facts>> = {
  people: {
    emails: [],
    firstName: null,
    lastName: null,
    phone: null,
    jobTitle: null,
    companyRecordId: null,
    attributes: {},
  },
  companies: { domains: [], name: null, attributes: {} },
  deals: {
    externalId: null,
    name: null,
    stage: null,
    value: null,
    companyRecordId: null,
    contactRecordIds: [],
    ownerId: null,
    attributes: {},
  },
};
