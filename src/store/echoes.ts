import type { EchoLine } from '../domain/echoes.ts';
import { isItemKind } from '../domain/items.ts';
import { chunks, type Handle } from './database.ts';

/** What writes of ours have left in Attio, and are told of by webhooks: the last one for each aspect of a thing. */
export class EchoesStore {
  readonly #db: Handle;

  constructor(db: Handle) {
    this.#db = db;
  }

  async put(lines: readonly EchoLine[]): Promise<void> {
    for (const part of chunks(lines)) {
      await this.#db
        .insertInto('echo')
        .values(part.map(writeLine))
        .onConflict((conflict) =>
          conflict.columns(['kind', 'attio_id', 'aspect']).doUpdateSet((eb) => ({
            hash: eb.ref('excluded.hash'),
            written_at: eb.ref('excluded.written_at'),
          })),
        )
        .execute();
    }
  }

  async of(kind: string, attioIds: readonly string[]): Promise<EchoLine[]> {
    const lines: EchoLine[] = [];
    for (const part of chunks(attioIds)) {
      const rows = await this.#db
        .selectFrom('echo')
        .selectAll()
        .where('kind', '=', kind)
        .where('attio_id', 'in', part)
        .execute();
      lines.push(
        ...rows.map(({ aspect, hash, ...row }) => ({
          kind,
          attioId: row.attio_id,
          aspect,
          hash,
          writtenAt: row.written_at,
        })),
      );
    }
    return lines;
  }

  /** Attio's ids, of these, of things that a write is on its way to. */
  async pendingAmong(kind: string, attioIds: readonly string[]): Promise<Set<string>> {
    const pending = new Set<string>();
    for (const part of chunks(attioIds)) {
      for (const id of await this.#pending(kind, part)) pending.add(id);
    }
    return pending;
  }

  /** Whether any write of the kind is on its way. */
  async isPending(kind: string): Promise<boolean> {
    const row = await this.#db
      .selectFrom('outbox')
      .select('id')
      .where('kind', '=', kind)
      .where('status', '=', 'pending')
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * Drops what was written before an instant, and the oldest beyond a number of lines.
   * @returns how many
   */
  async drop(before: string, atMost: number): Promise<number> {
    const newestToGo = await this.#db
      .selectFrom('echo')
      .select('written_at')
      .orderBy('written_at', 'desc')
      .offset(atMost)
      .limit(1)
      .executeTakeFirst();
    const { numDeletedRows } = await this.#db
      .deleteFrom('echo')
      .where((eb) =>
        eb.or([
          eb('written_at', '<', before),
          ...(newestToGo === undefined ? [] : [eb('written_at', '<=', newestToGo.written_at)]),
        ]),
      )
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  }

  async #pending(kind: string, attioIds: readonly string[]): Promise<string[]> {
    if (isItemKind(kind)) {
      const rows = await this.#db
        .selectFrom('item')
        .innerJoin('outbox', (join) =>
          join.onRef('outbox.kind', '=', 'item.kind').onRef('outbox.entity_id', '=', 'item.id'),
        )
        .select('item.attio_id')
        .where('item.kind', '=', kind)
        .where('item.attio_id', 'in', attioIds)
        .where('outbox.status', '=', 'pending')
        .execute();
      return rows.flatMap((row) => row.attio_id ?? []);
    }
    const rows = await this.#db
      .selectFrom('entity')
      .innerJoin('outbox', (join) =>
        join.onRef('outbox.kind', '=', 'entity.kind').onRef('outbox.entity_id', '=', 'entity.id'),
      )
      .select('entity.record_id')
      .where('entity.kind', '=', kind)
      .where('entity.record_id', 'in', attioIds)
      .where('outbox.status', '=', 'pending')
      .execute();
    return rows.flatMap((row) => row.record_id ?? []);
  }
}

function writeLine({ kind, attioId, aspect, hash, writtenAt }: EchoLine) {
  return { kind, attio_id: attioId, aspect, hash, written_at: writtenAt };
}
