import type { Handle } from './database.ts';

/**
 * The feed is dropped from its start only, and remembers how far.
 *
 * What is yet to be pushed is not lost by that: the feed waits for every active webhook to have looked at a change, and
 * a change that a delivery names, pending or dead, stays beside the feed until that is settled. A disabled webhook holds
 * nothing up: what it has not looked at by then is counted as missed.
 * @returns how many are out of the feed now
 */
export async function dropChanges(tx: Handle, before: string, limit: number): Promise<number> {
  const { pruned_through: prunedThrough } = await tx
    .selectFrom('change_feed')
    .select('pruned_through')
    .executeTakeFirstOrThrow();
  const rows = await tx
    .selectFrom('change')
    .select(['seq', 'at'])
    .where('seq', '>', prunedThrough)
    .where('seq', '<=', await lookedAtByAll(tx))
    .orderBy('seq')
    .limit(limit)
    .execute();
  const kept = rows.findIndex((row) => row.at >= before);
  const expired = kept === -1 ? rows : rows.slice(0, kept);
  const last = expired.at(-1);
  if (last === undefined) return 0;
  await countMissed(
    tx,
    expired.map((row) => row.seq),
    last.seq,
  );
  await tx.updateTable('change_feed').set({ pruned_through: last.seq }).execute();
  await tx
    .deleteFrom('change')
    .where('seq', '>', prunedThrough)
    .where('seq', '<=', last.seq)
    .where('seq', 'not in', untold(tx))
    .execute();
  return expired.length;
}

/** Changes that had left the feed, and are told by now. */
export async function dropToldChanges(tx: Handle, limit: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('change')
    .where('seq', 'in', (eb) =>
      eb
        .selectFrom('change')
        .select('change.seq')
        .where('change.seq', '<=', (feed) => feed.selectFrom('change_feed').select('pruned_through'))
        .where('change.seq', 'not in', untold(tx))
        .limit(limit),
    )
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** Those that no configuration has named for as long as changes are kept, and what waited for them. */
export async function forgetWebhooks(tx: Handle, seenBefore: string): Promise<number> {
  const rows = await tx.selectFrom('change_webhook').select('id').where('seen_at', '<', seenBefore).execute();
  const ids = rows.map((row) => row.id);
  if (ids.length === 0) return 0;
  await tx
    .deleteFrom('dead_letter')
    .where('kind', '=', 'notify')
    .where('delivery_id', 'in', (eb) =>
      eb.selectFrom('change_delivery').select('id').where('webhook_id', 'in', ids),
    )
    .execute();
  await tx.deleteFrom('change_delivery').where('webhook_id', 'in', ids).execute();
  await tx.deleteFrom('change_webhook').where('id', 'in', ids).execute();
  return 0;
}

/** Places in the feed of what is yet to be told to somebody. */
function untold(tx: Handle) {
  return tx.selectFrom('change_delivery').select('seq');
}

async function lookedAtByAll(tx: Handle): Promise<number> {
  const { least } = await tx
    .selectFrom('change_webhook')
    .select((eb) => eb.fn.min('position').as('least'))
    .where('status', '=', 'active')
    .executeTakeFirstOrThrow();
  return least ?? Number.MAX_SAFE_INTEGER;
}

async function countMissed(tx: Handle, seqs: readonly number[], through: number): Promise<void> {
  const late = await tx
    .selectFrom('change_webhook')
    .select(['id', 'position', 'missed'])
    .where('status', '=', 'disabled')
    .where('position', '<', through)
    .execute();
  for (const { id, position, missed } of late) {
    const more = seqs.filter((seq) => seq > position).length;
    await tx
      .updateTable('change_webhook')
      .set({ position: through, missed: missed + more })
      .where('id', '=', id)
      .execute();
  }
}
