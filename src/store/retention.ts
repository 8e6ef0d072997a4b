import { ENTITY_KINDS } from '../domain/entities.ts';
import { dropChanges, dropToldChanges, forgetWebhooks } from './change-retention.ts';
import { type Database, type Handle, type Part, transaction } from './database.ts';
import { purgeItems, purgeRecords, purgeThings } from './purging.ts';

/** Rows dropped per transaction, so that housekeeping never holds the database for long. */
const ROWS_PER_STEP = 2_000;

export interface RetentionCutoffs {
  /** ISO 8601 UTC: rows older than this go. */
  readonly deliveries: string;
  /** Events that are done or were about nothing mirrored here. */
  readonly settledEvents: string;
  /** Events that are kept for a later version. */
  readonly keptEvents: string;
  readonly changes: string;
  readonly runs: string;
  /** Writes that are settled, but for dead ones, and batches. */
  readonly writes: string;
  readonly conflicts: string;
  /** Requests with an idempotency key. */
  readonly keyedRequests: string;
  /** Values of what was deleted: its rows stay, so that its ids are known. */
  readonly archived: string;
}

type Step = (tx: Handle) => Promise<number>;

/** Drops what has outlived its use. Dead letters and pending events stay until somebody settles them. */
export async function dropExpired(
  db: Database,
  cutoffs: RetentionCutoffs,
  signal: AbortSignal,
): Promise<number> {
  const ofInbox: Step[] = [
    (tx) => dropDeliveries(tx, cutoffs.deliveries),
    (tx) => dropEvents(tx, ['done', 'ignored'], cutoffs.settledEvents),
    (tx) => dropEvents(tx, ['kept'], cutoffs.keptEvents),
  ];
  const ofAll: Step[] = [
    (tx) => dropAutomationJobs(tx, cutoffs.settledEvents),
    (tx) => forgetWebhooks(tx, cutoffs.changes),
    (tx) => dropChanges(tx, cutoffs.changes, ROWS_PER_STEP),
    (tx) => dropToldChanges(tx, ROWS_PER_STEP),
    (tx) => dropRuns(tx, cutoffs.runs),
    dropOrphanedPages,
    (tx) => dropWrites(tx, cutoffs.writes),
    dropOrphanedWaits,
    (tx) => dropBatches(tx, cutoffs.writes),
    (tx) => dropConflicts(tx, cutoffs.conflicts),
    (tx) => dropKeyedRequests(tx, cutoffs.keyedRequests),
    ...ENTITY_KINDS.map((kind) => (tx: Handle) => purgeThings(tx, kind, cutoffs.archived, ROWS_PER_STEP)),
    (tx) => purgeRecords(tx, cutoffs.archived, ROWS_PER_STEP),
    (tx) => purgeItems(tx, cutoffs.archived, ROWS_PER_STEP),
  ];
  const inbox = await dropBySteps(db, ofInbox, 'inbox', signal);
  return inbox + (await dropBySteps(db, ofAll, 'all', signal));
}

async function dropBySteps(
  db: Database,
  steps: readonly Step[],
  part: Part,
  signal: AbortSignal,
): Promise<number> {
  let total = 0;
  for (const step of steps) {
    let dropped = ROWS_PER_STEP;
    while (dropped === ROWS_PER_STEP && !signal.aborted) {
      dropped = await transaction(db, step, { part });
      total += dropped;
    }
  }
  return total;
}

async function dropDeliveries(tx: Handle, before: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('webhook_delivery')
    .where('dedupe_key', 'in', (eb) =>
      eb
        .selectFrom('webhook_delivery')
        .select('dedupe_key')
        .where('received_at', '<', before)
        .limit(ROWS_PER_STEP),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function dropEvents(tx: Handle, statuses: string[], before: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('inbox')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('inbox')
        .select('id')
        .where('settled_at', '<', before)
        .where('status', 'in', statuses)
        .limit(ROWS_PER_STEP),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** As long as the events that they came of: those that are dead stay for their letters. */
async function dropAutomationJobs(tx: Handle, before: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('automation_job')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('automation_job')
        .select('id')
        .where('settled_at', '<', before)
        .where('status', '=', 'done')
        .limit(ROWS_PER_STEP),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function dropWrites(tx: Handle, before: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('outbox')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('outbox')
        .select('id')
        .where('settled_at', '<', before)
        .where('status', 'in', ['done', 'refused', 'cancelled'])
        .limit(ROWS_PER_STEP),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function dropOrphanedWaits(tx: Handle): Promise<number> {
  await tx
    .deleteFrom('outbox_wait')
    .where('outbox_id', 'not in', (eb) => eb.selectFrom('outbox').select('id'))
    .execute();
  return 0;
}

/** A batch is told by its rows: it goes when they have gone. */
async function dropBatches(tx: Handle, before: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('batch')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('batch')
        .select('batch.id')
        .where('created_at', '<', before)
        .where(({ not, exists, selectFrom }) =>
          not(exists(selectFrom('outbox').select('outbox.id').whereRef('outbox.batch_id', '=', 'batch.id'))),
        )
        .limit(ROWS_PER_STEP),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function dropConflicts(tx: Handle, before: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('conflict')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('conflict')
        .select('id')
        .where('status', '=', 'resolved')
        .where((where) => where(where.fn.coalesce('resolved_at', 'at'), '<', before))
        .limit(ROWS_PER_STEP),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

async function dropRuns(tx: Handle, before: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('sync_run')
    .where('run_id', 'in', (eb) =>
      eb
        .selectFrom('sync_run')
        .select('run_id')
        .where('finished_at', '<', before)
        .where('status', '!=', 'running')
        .limit(ROWS_PER_STEP),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** Pages of runs that have ended: a crash may come between the two. */
async function dropOrphanedPages(tx: Handle): Promise<number> {
  await tx
    .deleteFrom('sync_page')
    .where('run_id', 'not in', (eb) =>
      eb.selectFrom('sync_run').select('run_id').where('status', '=', 'running'),
    )
    .execute();
  return 0;
}

async function dropKeyedRequests(tx: Handle, before: string): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('idempotency')
    .where('scope', 'in', (eb) =>
      eb.selectFrom('idempotency').select('scope').where('started_at', '<', before).limit(ROWS_PER_STEP),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
