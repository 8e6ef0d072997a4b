import type { Generated } from 'kysely';

/**
 * The tables. Times are ISO 8601 UTC texts, which sort by time in both dialects; JSON is text; flags are 0 or 1.
 */
export interface Schema {
  /** Made by the migration, for good. */
  deployment: { id: 1; deployment_id: string };
  /** Who shares this database: a row is a lease, and whoever has none any more has nothing in hand. */
  instance: { id: string; started_at: string; expires_at: string };
  workspace: { id: 1; workspace_id: string; learnt_at: string };
  record: RecordTable;
  entity: EntityTable;
  /** One row per lower-case e-mail address or domain, or external id of a deal, of a live thing. */
  entity_key: { kind: string; key: string; entity_id: string };
  change: ChangeTable;
  /** What has been dropped from the feed, so that a reader who is too late learns it. */
  change_feed: { id: 1; pruned_through: number };
  /** Where in the feed the first full sync of an object, a list (`lists/<id>`), notes or tasks has ended. */
  first_sync: { scope: string; after_seq: number };
  change_webhook: ChangeWebhookTable;
  change_delivery: ChangeDeliveryTable;
  /** SHA-256 (hex) of the secret that Attio told when the webhook was registered. */
  webhook_secret: { webhook_id: string; secret_sha256: string; noted_at: string };
  /** When a delivery's signature was last right, and when last wrong. */
  webhook_signature: { id: 1; accepted_at: string | null; refused_at: string | null };
  webhook_delivery: { dedupe_key: string; received_at: string };
  inbox: InboxTable;
  dead_letter: DeadLetterTable;
  automation_job: AutomationJobTable;
  idempotency: IdempotencyTable;
  sync_run: SyncRunTable;
  outbox: OutboxTable;
  /** The rows that one must wait for, beside its `after_id`. */
  outbox_wait: { outbox_id: number; after_id: number };
  batch: { id: string; total: number; rejected_json: string; created_at: string };
  conflict: ConflictTable;
  /** What writes of ours have left in Attio: see `domain/echoes.ts`. */
  echo: { kind: string; attio_id: string; aspect: string; hash: string; written_at: string };
  item: ItemTable;
  /** One row per record that an item is about. */
  item_link: ItemLinkTable;
  definition: { key: string; items_json: string };
  sync_page: { run_id: string; page_offset: number; record_ids: string; read_at: string; last: 0 | 1 };
}

export interface RecordTable {
  object: string;
  record_id: string;
  created_at: string;
  web_url: string | null;
  values_json: string;
  hash: string;
  read_at: string;
  deleted_at: string | null;
  merged_into: string | null;
  hidden: Generated<0 | 1>;
}

export interface EntityTable {
  kind: string;
  id: string;
  record_id: string | null;
  external_id: string | null;
  web_url: string | null;
  facts_json: string;
  /** Of a deal, as in its facts. */
  stage_id: string | null;
  stage_title: string | null;
  /** A numeral. */
  amount: string | null;
  currency_code: string | null;
  version: number;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
  merged_into: string | null;
  sync_failure_json: string | null;
  /** The values of a deleted one are kept no more. */
  purged: Generated<0 | 1>;
}

export interface ChangeTable {
  seq: Generated<number>;
  type: string;
  object: string;
  id: string;
  merged_id: string | null;
  source: string;
  changed_json: string;
  at: string;
  data_json: string;
}

export interface ChangeWebhookTable {
  id: string;
  host: string;
  status: string;
  position: number;
  missed: number;
  created_at: string;
  /** When an instance that pushes to it was last there. */
  seen_at: string;
  last_success_at: string | null;
  last_error_at: string | null;
  last_error: string | null;
  failing_since: string | null;
  disabled_at: string | null;
  disabled_reason: string | null;
  /** The instance that pushes to it, until then. */
  lease_owner: string | null;
  lease_until: string | null;
}

/** A delivery that is made has no row any more. */
export interface ChangeDeliveryTable {
  id: Generated<number>;
  webhook_id: string;
  seq: number;
  /** The id of what has changed, and that of what was merged into it: deliveries about either come in order. */
  thing: string;
  merged_thing: string | null;
  /** pending → dead; replaying a dead one makes it pending again. */
  status: string;
  attempts: number;
  next_attempt_at: string;
  changed_at: string;
}

export interface InboxTable {
  id: Generated<number>;
  event_type: string;
  workspace_id: string | null;
  payload_json: string;
  /** pending → done | kept | ignored | dead; replaying a dead one makes it pending again. */
  status: string;
  attempts: number;
  next_attempt_at: string;
  received_at: string;
  settled_at: string | null;
  last_error: string | null;
  /** The record or entry whose attribute is said to have changed. */
  subject_id: string | null;
  attribute_id: string | null;
  /** The instance that has it in hand; null: none, or this database has one process alone. */
  claimed_by: Generated<string | null>;
}

export interface DeadLetterTable {
  id: Generated<number>;
  kind: string;
  reason: string;
  detail: string;
  event_id: number | null;
  outbox_id: number | null;
  automation: string | null;
  delivery_id: number | null;
  event_type: string | null;
  body_base64: string | null;
  attempts: number;
  created_at: string;
}

export interface AutomationJobTable {
  id: Generated<number>;
  automation: string;
  event_id: number;
  event_type: string;
  payload_json: string;
  thing: string;
  /** pending → done | dead; replaying a dead one makes it pending again. */
  status: string;
  attempts: number;
  /** Of one that is being run: when it is given back, if nobody says how it ended. */
  next_attempt_at: string;
  created_at: string;
  settled_at: string | null;
  /** The instance that has it in hand; null: none, or this database has one process alone. */
  claimed_by: Generated<string | null>;
}

export interface OutboxTable {
  id: Generated<number>;
  operation: string;
  kind: string;
  entity_id: string;
  key: string | null;
  intent_json: string;
  base_json: string;
  undo_json: string;
  /** pending → done | refused | dead | cancelled; replaying a dead one makes it pending again. */
  status: string;
  attempts: number;
  next_attempt_at: string;
  accepted_at: string;
  settled_at: string | null;
  after_id: number | null;
  batch_id: string | null;
  batch_index: number | null;
  error_json: string | null;
  sent_at: string | null;
  /** The conflict that it settles: what it asks for stands. */
  conflict_id: number | null;
  /** The instance that has it in hand; null: none, or this database has one process alone. */
  claimed_by: Generated<string | null>;
}

export interface ItemTable {
  kind: string;
  id: string;
  attio_id: string | null;
  list_id: string | null;
  entry_id: string | null;
  thread_id: string | null;
  stage: string | null;
  amount: string | null;
  currency_code: string | null;
  is_completed: 0 | 1 | null;
  body_json: string;
  shown_json: string;
  hash: string;
  read_at: string;
  version: number;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
  sync_failure_json: string | null;
  request_key: string | null;
}

export interface ItemLinkTable {
  kind: string;
  item_id: string;
  position: number;
  object: string;
  record_id: string | null;
  entity_id: string | null;
}

export interface ConflictTable {
  id: Generated<number>;
  object: string;
  entity_id: string;
  record_id: string | null;
  field: string;
  base_json: string;
  local_json: string;
  attio_json: string;
  wanted_json: string | null;
  merged_json: string | null;
  /** `none`: nobody has decided. */
  decided: string;
  status: string;
  reason: string;
  at: string;
  resolved_at: string | null;
}

export interface IdempotencyTable {
  scope: string;
  fingerprint: string;
  started_at: string;
  /** Of the reply; null while the request runs. */
  status: number | null;
  content_type: string | null;
  body: string | null;
  /** The instance that has it in hand; null: none, or this database has one process alone. */
  claimed_by: Generated<string | null>;
}

export interface SyncRunTable {
  run_id: string;
  object: string;
  status: string;
  started_at: string;
  finished_at: string | null;
  error: string | null;
  force: 0 | 1;
  parent_run_id: string | null;
  pages: number;
  seen: number;
  created: number;
  updated: number;
  unchanged: number;
  deleted: number;
  merged: number;
  /** The instance that has it in hand; null: none, or this database has one process alone. */
  claimed_by: Generated<string | null>;
}
