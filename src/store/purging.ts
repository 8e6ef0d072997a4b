import { blankFacts, type EntityKind } from '../domain/entities.ts';
import { chunks, type Handle } from './database.ts';

/**
 * Takes the values of things that were deleted long ago. Their rows stay: they say what became of an id. What is on its way
 * for one keeps it as it is; the external id of one that was merged still finds the survivor.
 */
export async function purgeThings(
  tx: Handle,
  kind: EntityKind,
  before: string,
  limit: number,
): Promise<number> {
  const rows = await tx
    .selectFrom('entity')
    .select('id')
    .where('kind', '=', kind)
    .where('deleted_at', '<', before)
    .where('purged', '=', 0)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('outbox')
            .select('outbox.id')
            .whereRef('outbox.kind', '=', 'entity.kind')
            .whereRef('outbox.entity_id', '=', 'entity.id')
            .where('outbox.status', '=', 'pending'),
        ),
      ),
    )
    .limit(limit)
    .execute();
  for (const part of chunks(rows.map((row) => row.id))) {
    const gone = tx.updateTable('entity').where('kind', '=', kind).where('id', 'in', part);
    await gone
      .set({
        facts_json: JSON.stringify(blankFacts(kind)),
        web_url: null,
        stage_id: null,
        stage_title: null,
        amount: null,
        currency_code: null,
        sync_failure_json: null,
        purged: 1,
      })
      .execute();
    await gone.where('merged_into', 'is', null).set({ external_id: null }).execute();
  }
  return rows.length;
}

/** The same of records, of whatever object. */
export async function purgeRecords(tx: Handle, before: string, limit: number): Promise<number> {
  const rows = await tx
    .selectFrom('record')
    .select(['object', 'record_id'])
    .where('deleted_at', '<', before)
    .where('values_json', '<>', '{}')
    .limit(limit)
    .execute();
  for (const [object, ofObject] of Map.groupBy(rows, (row) => row.object)) {
    for (const part of chunks(ofObject.map((row) => row.record_id))) {
      await tx
        .updateTable('record')
        .set({ values_json: '{}', web_url: null })
        .where('object', '=', object)
        .where('record_id', 'in', part)
        .execute();
    }
  }
  return rows.length;
}

/** The same of entries, notes, tasks and comments. */
export async function purgeItems(tx: Handle, before: string, limit: number): Promise<number> {
  const rows = await tx
    .selectFrom('item')
    .select(['kind', 'id'])
    .where('deleted_at', '<', before)
    .where('body_json', '<>', '{}')
    .limit(limit)
    .execute();
  for (const [kind, ofKind] of Map.groupBy(rows, (row) => row.kind)) {
    for (const part of chunks(ofKind.map((row) => row.id))) {
      await tx
        .updateTable('item')
        .set({ body_json: '{}', shown_json: '{}' })
        .where('kind', '=', kind)
        .where('id', 'in', part)
        .execute();
    }
  }
  return rows.length;
}
