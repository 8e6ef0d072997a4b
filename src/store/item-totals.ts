import { sql } from 'kysely';
import type { Handle } from './database.ts';

export interface StageTotal {
  readonly stage: string | null;
  readonly currencyCode: string | null;
  readonly count: number;
  readonly valueTotal: number | null;
}

/** How many living entries of a list are in each stage, and what their values add up to, by currency. */
export async function stageTotals(db: Handle, listId: string): Promise<StageTotal[]> {
  const rows = await db
    .selectFrom('item')
    .select((eb) => [
      'stage',
      'currency_code',
      eb.fn.countAll<number>().as('count'),
      // Exact on PostgreSQL; on SQLite a sum of doubles.
      sql<number | string | null>`sum(cast(amount as numeric))`.as('total'),
    ])
    .where('kind', '=', 'entries')
    .where('list_id', '=', listId)
    .where('deleted_at', 'is', null)
    .groupBy(['stage', 'currency_code'])
    .execute();
  return rows.map(({ stage, currency_code: currencyCode, count, total }) => {
    return { stage, currencyCode, count: Number(count), valueTotal: total === null ? null : Number(total) };
  });
}
