import type { Selectable } from 'kysely';
import {
  DEAD_LETTER_KINDS,
  type DeadLetter,
  type DeadLetterKind,
  type NewDeadLetter,
} from '../domain/dead-letters.ts';
import { chunks, type Handle } from './database.ts';
import type { DeadLetterTable } from './schema.ts';

/** What was given up, until it is replayed. */
export class DeadLettersStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  async list(
    kind: DeadLetterKind | null,
    afterId: number,
    limit: number,
  ): Promise<{ rows: DeadLetter[]; next: number | null }> {
    let query = this.#db.selectFrom('dead_letter').selectAll().where('id', '>', afterId);
    if (kind !== null) query = query.where('kind', '=', kind);
    const rows = await query
      .orderBy('id')
      .limit(limit + 1)
      .execute();
    const page = rows.slice(0, limit);
    return { rows: page.map(readLetter), next: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
  }

  async get(id: number): Promise<DeadLetter | undefined> {
    const row = await this.#db.selectFrom('dead_letter').selectAll().where('id', '=', id).executeTakeFirst();
    return row && readLetter(row);
  }

  async newestId(): Promise<number> {
    const row = await this.#db
      .selectFrom('dead_letter')
      .select((eb) => eb.fn.max('id').as('newest'))
      .executeTakeFirst();
    return row?.newest ?? 0;
  }

  async remove(id: number): Promise<void> {
    await this.#db.deleteFrom('dead_letter').where('id', '=', id).execute();
  }

  async counts(): Promise<Record<DeadLetterKind, number>> {
    const rows = await this.#db
      .selectFrom('dead_letter')
      .select((eb) => ['kind', eb.fn.countAll<number>().as('count')])
      .groupBy('kind')
      .execute();
    const counted = DEAD_LETTER_KINDS.map((kind) => {
      return [kind, Number(rows.find((row) => row.kind === kind)?.count ?? 0)] as const;
    });
    return Object.fromEntries(counted) as Record<DeadLetterKind, number>; // one of each kind
  }
}

export async function insertDeadLetters(db: Handle, letters: readonly NewDeadLetter[]): Promise<void> {
  for (const part of chunks(letters)) {
    await db
      .insertInto('dead_letter')
      .values(
        part.map((letter) => ({
          kind: letter.kind,
          reason: letter.reason,
          detail: letter.detail,
          event_id: letter.eventId,
          outbox_id: letter.outboxId,
          automation: letter.automation ?? null,
          delivery_id: letter.deliveryId ?? null,
          event_type: letter.eventType,
          body_base64: letter.bodyBase64,
          attempts: letter.attempts,
          created_at: letter.createdAt,
        })),
      )
      .execute();
  }
}

function readLetter(row: Selectable<DeadLetterTable>): DeadLetter {
  return {
    id: String(row.id),
    kind: row.kind as DeadLetterKind, // written from a NewDeadLetter
    reason: row.reason,
    detail: row.detail,
    eventId: row.event_id,
    outboxId: row.outbox_id,
    automation: row.automation,
    deliveryId: row.delivery_id,
    eventType: row.event_type,
    bodyBase64: row.body_base64,
    attempts: row.attempts,
    createdAt: row.created_at,
  };
}
