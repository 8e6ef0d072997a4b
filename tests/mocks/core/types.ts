export type ActorType = 'api-token' | 'workspace-member' | 'system' | 'app';

export interface Actor {
  readonly type: ActorType;
  readonly id: string | null;
}

export type AttributeType =
  | 'text'
  | 'number'
  | 'checkbox'
  | 'currency'
  | 'date'
  | 'timestamp'
  | 'rating'
  | 'status'
  | 'select'
  | 'record-reference'
  | 'actor-reference'
  | 'location'
  | 'domain'
  | 'email-address'
  | 'phone-number'
  | 'interaction'
  | 'personal-name';

export type JsonObject = { readonly [key: string]: unknown };

/** The members of a value as the codec of its type stores them (ids, not titles or slugs, where those can change). */
export type ValueData = JsonObject;

export interface StoredValue {
  readonly data: ValueData;
  /** Identity within its attribute: two values with the same key are the same value. */
  readonly key: string;
  readonly from: string;
  readonly until: string | null;
  readonly actor: Actor;
}

/** A select option or a status. */
export interface Choice {
  readonly id: string;
  title: string;
  archived: boolean;
  celebration: boolean;
  targetTime: string | null;
}

export type DefaultValue =
  | { readonly type: 'dynamic'; readonly template: string }
  | { readonly type: 'static'; readonly template: readonly JsonObject[] };

export interface Attribute {
  readonly id: string;
  slug: string;
  readonly type: AttributeType;
  title: string;
  description: string | null;
  readonly system: boolean;
  readonly writable: boolean;
  required: boolean;
  unique: boolean;
  readonly multi: boolean;
  archived: boolean;
  /** Filled by Attio itself: its history cannot be asked for. */
  readonly enriched: boolean;
  defaultValue: DefaultValue | null;
  /** The other end of a two-sided reference. */
  relationship: { readonly objectId: string; readonly attributeId: string } | null;
  currencyCode: string | null;
  currencyDisplay: string | null;
  allowedObjectIds: readonly string[] | null;
  readonly choices: Choice[];
  readonly createdAt: string;
}

/** A record, or an entry when it has a parent. */
export interface Row {
  readonly id: string;
  /** Place in creation order. */
  readonly seq: number;
  readonly createdAt: string;
  /** What `values.created_at` says: it may be seconds away from the row's own `created_at`. */
  readonly shownCreatedAt: string;
  readonly createdBy: Actor;
  readonly current: Map<string, readonly StoredValue[]>;
  past: Map<string, StoredValue[]> | null;
  deleted: boolean;
  parent: { readonly objectId: string; readonly recordId: string } | null;
}

export interface Member {
  readonly id: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  readonly accessLevel: 'admin' | 'member' | 'suspended';
  readonly createdAt: string;
}

/** One write: who did it and the instant all its values carry. */
export interface Stamp {
  readonly at: string;
  readonly actor: Actor;
  /** What `values.created_at` of a row made by it says, when that differs. */
  readonly shownAt?: string;
}
