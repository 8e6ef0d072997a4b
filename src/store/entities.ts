import { sql } from 'kysely';
import { type EntityKind, type EntityRow, type Facts, keysOf, type StageTotal } from '../domain/entities.ts';
import { among, BulkInsert, inOrderOf, setToExcluded } from './bulk.ts';
import { chunks, type Handle, loadBy, parseJson } from './database.ts';
import type { EntityTable } from './schema.ts';

const SHOWN = [
  'record_id',
  'external_id',
  'web_url',
  'facts_json',
  'stage_id',
  'stage_title',
  'amount',
  'currency_code',
  'version',
  'updated_at',
  'deleted_at',
  'merged_into',
  'sync_failure_json',
] as const;

/** One that is back has values to purge again. */
const PURGED = 'purged = case when excluded.deleted_at is null then 0 else entity.purged end';

const ENTITIES = new BulkInsert(
  'entity',
  ['kind', 'id', 'created_at', ...SHOWN],
  () => `on conflict (kind, id) do update set ${setToExcluded(SHOWN)}, ${PURGED}`,
);

const KEYS = new BulkInsert('entity_key', ['kind', 'key', 'entity_id']);

/** Contacts, companies and deals as internal systems see them, with the keys they are found by. */
export class EntitiesStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  async byRecordIds(kind: EntityKind, recordIds: readonly string[]): Promise<Map<string, EntityRow>> {
    return loadBy(
      recordIds,
      (ids) =>
        this.#db
          .selectFrom('entity')
          .selectAll()
          .where('kind', '=', kind)
          .where('record_id', 'in', among(this.#db, ids))
          .execute(),
      (row) => row.record_id ?? row.id,
      readEntity,
    );
  }

  async find(kind: EntityKind, id: string): Promise<EntityRow | undefined> {
    const row = await this.#db
      .selectFrom('entity')
      .selectAll()
      .where('kind', '=', kind)
      .where((eb) => eb.or([eb('id', '=', id), eb('record_id', '=', id)]))
      .executeTakeFirst();
    return row && readEntity(row);
  }

  /** The most recently changed first: while a key moves between two records, both may hold it for a moment. */
  async findByKey(kind: EntityKind, key: string): Promise<EntityRow[]> {
    const rows = await this.#db
      .selectFrom('entity_key')
      .innerJoin('entity', (join) =>
        join.onRef('entity.kind', '=', 'entity_key.kind').onRef('entity.id', '=', 'entity_key.entity_id'),
      )
      .selectAll('entity')
      .where('entity_key.kind', '=', kind)
      .where('entity_key.key', '=', key)
      .orderBy('entity.updated_at', 'desc')
      .execute();
    return rows.map(readEntity);
  }

  async findByExternalId(kind: EntityKind, externalId: string): Promise<EntityRow | undefined> {
    const row = await this.#db
      .selectFrom('entity')
      .selectAll()
      .where('kind', '=', kind)
      .where('external_id', '=', externalId)
      .executeTakeFirst();
    return row && readEntity(row);
  }

  /** Live things that no record is known of yet, by a key of theirs. */
  async unlinkedByKeys(kind: EntityKind, keys: readonly string[]): Promise<Map<string, EntityRow>> {
    const found = new Map<string, EntityRow>();
    for (const part of chunks(keys)) {
      const rows = await this.#db
        .selectFrom('entity_key')
        .innerJoin('entity', (join) =>
          join.onRef('entity.kind', '=', 'entity_key.kind').onRef('entity.id', '=', 'entity_key.entity_id'),
        )
        .selectAll('entity')
        .select('entity_key.key')
        .where('entity_key.kind', '=', kind)
        .where('entity_key.key', 'in', among(this.#db, part))
        .where('entity.record_id', 'is', null)
        .orderBy('entity.created_at')
        .execute();
      for (const { key, ...row } of rows) if (!found.has(key)) found.set(key, readEntity(row));
    }
    return found;
  }

  async remove(kind: EntityKind, id: string): Promise<void> {
    await this.#db.deleteFrom('entity_key').where('kind', '=', kind).where('entity_id', '=', id).execute();
    await this.#db.deleteFrom('entity').where('kind', '=', kind).where('id', '=', id).execute();
  }

  async list(kind: EntityKind, afterId: string, limit: number): Promise<EntityRow[]> {
    const rows = await this.#db
      .selectFrom('entity')
      .selectAll()
      .where('kind', '=', kind)
      .where('id', '>', afterId)
      .where('deleted_at', 'is', null)
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.map(readEntity);
  }

  /** Records of a kind that no thing is known of: they were mirrored before there were things of that kind. */
  async unadopted(kind: EntityKind, limit: number): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('record')
      .select('record_id')
      .where('object', '=', kind)
      .where('deleted_at', 'is', null)
      .where('hidden', '=', 0)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('entity')
              .select('entity.id')
              .where('entity.kind', '=', kind)
              .whereRef('entity.record_id', '=', 'record.record_id'),
          ),
        ),
      )
      .orderBy('record_id')
      .limit(limit)
      .execute();
    return rows.map((row) => row.record_id);
  }

  /** Live things in a stage, by its title or id. */
  async listByStage(kind: EntityKind, stage: string, afterId: string, limit: number): Promise<EntityRow[]> {
    const rows = await this.#db
      .selectFrom('entity')
      .selectAll()
      .where('kind', '=', kind)
      .where((eb) => eb.or([eb('stage_title', '=', stage), eb('stage_id', '=', stage)]))
      .where('id', '>', afterId)
      .where('deleted_at', 'is', null)
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.map(readEntity);
  }

  /** How many live things are in each stage, and what they are worth together. */
  async stageTotals(kind: EntityKind): Promise<StageTotal[]> {
    const rows = await this.#db
      .selectFrom('entity')
      .select((eb) => [
        'stage_id',
        'stage_title',
        eb.fn.countAll<number>().as('count'),
        // Exact on PostgreSQL; on SQLite a sum of doubles.
        sql<number | string | null>`sum(cast(amount as numeric))`.as('total'),
        eb.fn.min('currency_code').as('one_code'),
        eb.fn.max('currency_code').as('other_code'),
      ])
      .where('kind', '=', kind)
      .where('deleted_at', 'is', null)
      .where((eb) => eb.or([eb('stage_title', 'is not', null), eb('stage_id', 'is not', null)]))
      .groupBy(['stage_id', 'stage_title'])
      .orderBy('stage_title')
      .execute();
    return rows.map((row) => ({
      stageId: row.stage_id,
      title: row.stage_title,
      count: Number(row.count),
      valueTotal: roundToAttio(Number(row.total ?? 0)),
      currencyCode: row.one_code === row.other_code ? row.one_code : null,
    }));
  }

  async mergedFrom(kind: EntityKind, id: string): Promise<string[]> {
    const merged: string[] = [];
    let parents = [id];
    while (parents.length > 0) {
      const rows = await this.#db
        .selectFrom('entity')
        .select('id')
        .where('kind', '=', kind)
        .where('merged_into', 'in', parents)
        .orderBy('id')
        .execute();
      parents = rows.map((row) => row.id).filter((child) => child !== id && !merged.includes(child));
      merged.push(...parents);
    }
    return merged;
  }

  async idsAmong(kind: EntityKind, ids: readonly string[]): Promise<Set<string>> {
    const found = await loadBy(
      ids,
      (part) =>
        this.#db
          .selectFrom('entity')
          .select('id')
          .where('kind', '=', kind)
          .where('id', 'in', among(this.#db, part))
          .execute(),
      (row) => row.id,
      () => true,
    );
    return new Set(found.keys());
  }

  async ownersOf(kind: EntityKind, keys: readonly string[]): Promise<Map<string, string[]>> {
    const owners = new Map<string, string[]>();
    for (const part of chunks(keys)) {
      const rows = await this.#db
        .selectFrom('entity_key')
        .innerJoin('entity', (join) =>
          join.onRef('entity.kind', '=', 'entity_key.kind').onRef('entity.id', '=', 'entity_key.entity_id'),
        )
        .select(['entity_key.key', 'entity.record_id'])
        .where('entity_key.kind', '=', kind)
        .where('entity_key.key', 'in', among(this.#db, part))
        .execute();
      for (const { key, record_id: owner } of rows) {
        if (owner !== null) owners.set(key, [...(owners.get(key) ?? []), owner]);
      }
    }
    return owners;
  }

  async put(rows: readonly EntityRow[]): Promise<void> {
    for (const part of chunks(inOrderOf(rows, (row) => row.id))) {
      await ENTITIES.run(this.#db, part.map(writeEntity));
      await this.#putKeys(part);
    }
  }

  async #putKeys(rows: readonly EntityRow[]): Promise<void> {
    const kinds = Map.groupBy(rows, (row) => row.kind);
    for (const [kind, ofKind] of kinds) {
      const ids = ofKind.map((row) => row.id);
      await this.#db
        .deleteFrom('entity_key')
        .where('kind', '=', kind)
        .where('entity_id', 'in', among(this.#db, ids))
        .execute();
    }
    const keys = rows.flatMap((row) =>
      row.deletedAt === null
        ? [...new Set(row.keys)].map((key) => ({ kind: row.kind, key, entity_id: row.id }))
        : [],
    );
    await KEYS.run(this.#db, keys);
  }
}

function stageColumns(facts: Facts) {
  const { stage, value } = 'stage' in facts ? facts : { stage: null, value: null };
  return {
    stage_id: stage?.id ?? null,
    stage_title: stage?.title ?? null,
    amount: value === null ? null : String(value.amount),
    currency_code: value?.currencyCode ?? null,
  };
}

function readEntity(row: Omit<EntityTable, 'purged'>): EntityRow {
  const facts = parseJson<Facts>(row.facts_json);
  return {
    kind: row.kind as EntityKind, // written from an EntityRow
    id: row.id,
    recordId: row.record_id,
    externalId: row.external_id,
    webUrl: row.web_url,
    facts,
    keys: keysOf(facts),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
    mergedInto: row.merged_into,
    syncFailure: row.sync_failure_json === null ? null : parseJson(row.sync_failure_json),
  };
}

function writeEntity(row: EntityRow): Omit<EntityTable, 'purged'> {
  return {
    kind: row.kind,
    id: row.id,
    record_id: row.recordId,
    external_id: row.externalId,
    web_url: row.webUrl,
    facts_json: JSON.stringify(row.facts),
    ...stageColumns(row.facts),
    version: row.version,
    created_at: row.createdAt,
    updated_at: row.updatedAt,
    deleted_at: row.deletedAt,
    merged_into: row.mergedInto,
    sync_failure_json: row.syncFailure === null ? null : JSON.stringify(row.syncFailure),
  };
}

/** Attio keeps four decimals: what is beyond them is of the sum of doubles. */
function roundToAttio(sum: number): number {
  return Math.round(sum * 10_000) / 10_000;
}
