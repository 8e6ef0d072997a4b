import type { EntityKind, EntityRow } from '../domain/entities.ts';
import { syncStateOf, writtenStateOf } from '../domain/sync-state.ts';
import { deletedThing, unknownThing } from './errors.ts';
import type { Synced, Written } from './inputs.ts';
import { survivorOfThing } from './living.ts';
import type { Progress } from './outbox/writer.ts';
import type { ConflictStore, EntityStore, OutboxStore, Page } from './ports.ts';

/** A thing, and the ids of those that were merged into it. */
export interface Found<T> extends Synced<T> {
  readonly mergedFrom: readonly string[];
}

export interface ListQuery {
  readonly externalId?: string;
  /** Continue after this id. */
  readonly after?: string;
  readonly limit: number;
}

export interface ThingsDeps {
  readonly entities: EntityStore;
  readonly outbox: Pick<OutboxStore, 'pendingAmong'>;
  readonly conflicts: Pick<ConflictStore, 'openAmong'>;
}

/** Reads things of one kind from the local database; never asks Attio. */
export class Things<T> {
  protected readonly kind: EntityKind;
  protected readonly noun: string;
  readonly #deps: ThingsDeps;
  readonly #shape: (row: EntityRow) => T;

  constructor(kind: EntityKind, noun: string, deps: ThingsDeps, shape: (row: EntityRow) => T) {
    this.kind = kind;
    this.noun = noun;
    this.#deps = deps;
    this.#shape = shape;
  }

  /**
   * @param id ours or the Attio record id; one that was merged away finds the survivor
   * @throws ServiceError `not_found`, or `gone` for a deleted one
   */
  async get(id: string): Promise<Found<T>> {
    const row = await this.living(id);
    const mergedFrom = await this.#deps.entities.mergedFrom(this.kind, row.id);
    return { ...(await this.synced(row)), mergedFrom };
  }

  /** A thing after a write of it. `isDone`: this one is in Attio, whatever others wait behind it. */
  protected async written({ entityId, isDone, held }: Progress): Promise<Written<T>> {
    const row = await this.living(entityId);
    const { thing, sync } = await this.synced(row);
    if (!isDone) return { thing, sync };
    const { recordId } = row;
    return { thing, sync: writtenStateOf({ recordId, conflicts: sync.conflicts ?? 0 }, held) };
  }

  protected async living(id: string): Promise<EntityRow> {
    const row = await survivorOfThing(this.#deps.entities, this.kind, id);
    if (row === undefined) throw unknownThing(this.noun);
    if (row.deletedAt !== null) throw deletedThing(this.noun, row.deletedAt);
    return row;
  }

  protected async page(query: ListQuery, key: string | undefined): Promise<Page<Synced<T>, string>> {
    const { entities } = this.#deps;
    const { externalId } = query;
    const named = externalId === undefined ? undefined : await this.#byExternalId(externalId);
    if (key !== undefined) {
      const rows = await entities.findByKey(this.kind, key);
      return this.#matching(
        externalId === undefined ? rows : rows.filter((row) => row.id === named?.id),
        query,
      );
    }
    if (externalId !== undefined) return this.#matching(named === undefined ? [] : [named], query);
    return this.pageOf(await entities.list(this.kind, query.after ?? '', query.limit + 1), query.limit);
  }

  /** @param rows one more than the limit when there are more */
  protected async pageOf(rows: readonly EntityRow[], limit: number): Promise<Page<Synced<T>, string>> {
    const page = rows.slice(0, limit);
    return {
      rows: await this.#allSynced(page),
      next: rows.length > limit ? (page.at(-1)?.id ?? null) : null,
    };
  }

  /** What a key or an external id finds is at most a handful: one page. */
  async #matching(rows: readonly EntityRow[], query: ListQuery): Promise<Page<Synced<T>, string>> {
    const live = rows.filter((row) => row.deletedAt === null);
    return { rows: await this.#allSynced(live.slice(0, query.limit)), next: null };
  }

  /** The external id of one that was merged away still finds the survivor. */
  async #byExternalId(externalId: string): Promise<EntityRow | undefined> {
    const { entities } = this.#deps;
    const row = await entities.findByExternalId(this.kind, externalId);
    return row === undefined ? undefined : survivorOfThing(entities, this.kind, row.id);
  }

  protected async synced(row: EntityRow): Promise<Synced<T>> {
    const [synced] = await this.#allSynced([row]);
    return synced as Synced<T>; // one for each row
  }

  async #allSynced(rows: readonly EntityRow[]): Promise<Synced<T>[]> {
    const ids = rows.map((row) => row.id);
    const pending = await this.#deps.outbox.pendingAmong(this.kind, ids);
    const open = await this.#deps.conflicts.openAmong(this.kind, ids);
    return rows.map((row) => {
      const { recordId, syncFailure: failure } = row;
      const waiting = { isPending: pending.has(row.id), conflicts: open.get(row.id) ?? 0 };
      return { thing: this.#shape(row), sync: syncStateOf({ recordId, failure, ...waiting }) };
    });
  }
}
