/** What internal systems may ask to be written, as the routes hand it over: checked in itself, not against the workspace. */
import type { Json, JsonObject } from '../domain/json.ts';
import type { SyncState } from '../domain/sync-state.ts';

/**
 * Values as callers give them: a text, number or plain object; a list for a multi-value attribute, whose values are
 * added; `{replace: […]}` for exactly these; null to clear. A member that is left out is not touched.
 */
export interface ContactInput {
  /** In lower case; any of the person's addresses. */
  readonly email: string;
  readonly firstName?: string | null | undefined;
  readonly lastName?: string | null | undefined;
  readonly phone?: Json | undefined;
  readonly jobTitle?: string | null | undefined;
  readonly company?: { readonly domain: string } | { readonly recordId: string } | null | undefined;
  readonly externalId?: string | null | undefined;
  /** By slug. */
  readonly attributes?: JsonObject | undefined;
}

export interface CompanyInput {
  /** In lower case; any of the company's domains. */
  readonly domain: string;
  readonly name?: string | null | undefined;
  readonly externalId?: string | null | undefined;
  readonly attributes?: JsonObject | undefined;
}

export interface WriteOptions {
  /** Wait for Attio, as long as that makes sense and `writeWaitMs` at most. */
  readonly wait: boolean;
  readonly signal: AbortSignal;
}

/** A thing, and how far its values have come to Attio. */
export interface Synced<T> {
  readonly thing: T;
  readonly sync: SyncState;
}

export type Written<T> = Synced<T>;
