/** What writing services are given and give back. */
import type { BatchRejection } from '../domain/batches.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import type { SyncState } from '../domain/sync-state.ts';

/** A member left out is untouched; null clears it. */
export interface ContactInput {
  /** In lower case. */
  readonly email: string;
  readonly firstName?: string | null;
  readonly lastName?: string | null;
  /** A number is added to those there are; `{replace:[…]}` sets exactly these. */
  readonly phone?: Json;
  readonly jobTitle?: string | null;
  readonly company?: { readonly domain: string } | { readonly recordId: string } | null;
  readonly externalId?: string | null;
  /**
   * By slug. A scalar or a plain object; a list for a multi-value attribute, whose values are added; null clears;
   * `{replace:[…]}` sets a multi-value attribute to exactly these.
   */
  readonly attributes?: JsonObject;
  /** That the configuration adds, by name; values as for attributes. */
  readonly fields?: JsonObject;
}

export interface CompanyInput {
  /** In lower case. */
  readonly domain: string;
  readonly name?: string | null;
  readonly externalId?: string | null;
  /** As for a contact. */
  readonly attributes?: JsonObject;
  /** That the configuration adds, by name; values as for attributes. */
  readonly fields?: JsonObject;
}

/** A member left out is untouched; null clears it. */
export interface DealInput {
  /** Finds the deal; compared as it is. */
  readonly externalId: string;
  readonly name: string;
  /** A title in any case, or an id. */
  readonly stage: string;
  /** A number, or a numeral. A currency code must be the attribute's own. */
  readonly value?: MoneyInput | null;
  /** In lower case. */
  readonly companyDomain?: string | null;
  /** In lower case. They are added to those there are; `{replace:[…]}` sets exactly these. */
  readonly contactEmails?: string[] | { readonly replace: string[] } | null;
  /** Of a workspace member. */
  readonly ownerEmail?: string | null;
  /** As for a contact. */
  readonly attributes?: JsonObject;
  /** That the configuration adds, by name; values as for attributes. */
  readonly fields?: JsonObject;
}

/** As in `DealInput`. */
export interface DealChange {
  readonly name?: string;
  readonly stage?: string;
  readonly value?: MoneyInput | null;
  readonly attributes?: JsonObject;
  /** That the configuration adds, by name; values as for attributes. */
  readonly fields?: JsonObject;
}

export type MoneyInput = { readonly amount: number | string; readonly currencyCode?: string };

export interface WriteOptions {
  /** Whether to wait for Attio, for as long as a caller may be kept waiting. */
  readonly wait: boolean;
  /** Ends the waiting, not the writing. */
  readonly signal: AbortSignal;
}

/** A thing, and whether Attio has what we hold of it. */
export interface Synced<T> {
  readonly thing: T;
  readonly sync: SyncState;
}

/** A thing as it is after a write. */
export type Written<T> = Synced<T>;

/** What was taken of a batch. */
export interface BatchReceipt {
  readonly id: string;
  readonly accepted: number;
  readonly rejected: readonly BatchRejection[];
}
