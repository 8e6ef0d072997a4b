import type { Clock } from '../domain/clock.ts';
import type { Conflict, Decided } from '../domain/conflicts.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import type { OutboxOperation, WriteKind } from '../domain/outbox.ts';
import { writtenStateOf } from '../domain/sync-state.ts';
import { invalidMembers, ServiceError } from './errors.ts';
import type { Synced, WriteOptions } from './inputs.ts';
import type { Waiters } from './outbox/waiters.ts';
import type { OutboxWriter } from './outbox/writer.ts';
import type { ConflictStore, Page, Stores, UnitOfWork } from './ports.ts';

/** What a person decides. */
export interface Resolution {
  readonly resolution: Decided;
  /** `merged`: the value to write in place of both, by the field of the conflict. */
  readonly values?: JsonObject;
}

/** What a conflict is of, and how a decision about it is carried out. */
export interface Subjects {
  /** How a write of it stands in the outbox. */
  writeOf(object: string): { readonly kind: WriteKind; readonly operation: OutboxOperation };
  /** @returns the value as writes bear it @throws ServiceError `refused` when the field does not take it */
  check(conflict: Conflict, value: Json): Promise<Json>;
  /** @returns what draws the thing anew once the decision is stored @throws ServiceError `unavailable` */
  painter(object: string): Promise<Painter>;
}

/** Draws a thing anew, by our id of it. */
export type Painter = (stores: Stores, entityId: string, at: string) => Promise<void>;

export interface ConflictsDeps {
  readonly conflicts: ConflictStore;
  readonly store: UnitOfWork;
  readonly subjects: Subjects;
  readonly writer: Pick<OutboxWriter, 'follow' | 'makeRoom'>;
  readonly waiters: Pick<Waiters, 'expect'>;
  readonly clock: Clock;
}

/** Fields that both sides changed, with both values and whose stands; and the place where those that are open are decided. */
export class ConflictsService {
  readonly #deps: ConflictsDeps;

  constructor(deps: ConflictsDeps) {
    this.#deps = deps;
  }

  /** The oldest first. */
  async list(query: {
    readonly status: Conflict['status'] | null;
    readonly after: number;
    readonly limit: number;
  }): Promise<Page<Conflict, number>> {
    return this.#deps.conflicts.list(query.status, query.after, query.limit);
  }

  /** @throws ServiceError `not_found` */
  async get(id: string): Promise<Conflict> {
    const conflict = /^\d{1,15}$/.test(id) ? await this.#deps.conflicts.get(Number(id)) : undefined;
    if (conflict === undefined) throw new ServiceError('not_found', 'there is no conflict with this id');
    return conflict;
  }

  /**
   * Settles an open conflict: our value, or a third one, is written to Attio and stands whatever it has by then; or
   * Attio's value stands, and our side takes it. When Attio refuses the value, the conflict is open again.
   * @throws ServiceError `not_found`; `conflict` when it is settled already; `invalid`; `refused` for a value that the field
   *   does not take, and with Attio's words; `unavailable`
   */
  async resolve(
    id: string,
    { resolution, values }: Resolution,
    options: WriteOptions,
  ): Promise<Synced<Conflict>> {
    const { subjects, writer, waiters } = this.#deps;
    const conflict = await this.get(id);
    if (conflict.status !== 'open') throw settledAlready(conflict);
    const given = valueIn(conflict, resolution, values);
    const value = given === undefined ? undefined : await subjects.check(conflict, given);
    const paint = await subjects.painter(conflict.object);
    if (resolution !== 'attio') await writer.makeRoom(1);
    const outboxId = await this.#decide(conflict, resolution, value, paint);
    if (outboxId === null) return this.#answer(id, { isDone: true, held: 0 });
    if (options.wait) waiters.expect(outboxId);
    const { kind } = subjects.writeOf(conflict.object);
    const done = await writer.follow(kind, outboxId, options);
    return this.#answer(id, { isDone: done !== null, held: done?.held ?? 0 });
  }

  /** One of those who decide at once is first. @returns the row of the write; null: nothing is to be written */
  async #decide(
    conflict: Conflict,
    resolution: Decided,
    merged: Json | undefined,
    paint: Painter,
  ): Promise<number | null> {
    const { store, subjects, clock } = this.#deps;
    const id = Number(conflict.id);
    const at = new Date(clock.now()).toISOString();
    return store.transaction(async (stores) => {
      const now = await stores.conflicts.get(id);
      if (now === undefined) throw new ServiceError('not_found', 'there is no conflict with this id');
      const closing = {
        decided: resolution,
        reason: 'resolved',
        at,
        ...(merged === undefined ? {} : { merged }),
      };
      if (!(await stores.conflicts.close(id, closing))) throw settledAlready(now);
      const { field, entityId } = now;
      const wanted = resolution === 'merged' ? (merged ?? null) : now.wanted;
      const outboxId =
        resolution === 'attio'
          ? null
          : await stores.outbox.add({
              ...subjects.writeOf(now.object),
              entityId,
              key: null,
              intent: { [field]: wanted },
              base: { [field]: now.attio },
              externalIdBefore: undefined,
              acceptedAt: at,
              afterId: null,
              batch: null,
              conflictId: id,
            });
      await paint(stores, entityId, at);
      return outboxId;
    });
  }

  async #answer(
    id: string,
    { isDone, held }: { readonly isDone: boolean; readonly held: number },
  ): Promise<Synced<Conflict>> {
    const thing = await this.get(id);
    const { object, entityId, recordId } = thing;
    const conflicts = (await this.#deps.conflicts.openAmong(object, [entityId])).get(entityId) ?? 0;
    if (isDone) return { thing, sync: writtenStateOf({ recordId, conflicts }, held) };
    return { thing, sync: { status: 'pending', ...(conflicts === 0 ? {} : { conflicts }) } };
  }
}

function settledAlready({ decided, reason, resolvedAt }: Conflict): ServiceError {
  const how = decided === null ? reason : `${reason}, ${decided}`;
  return new ServiceError(
    'conflict',
    `this conflict was settled at ${resolvedAt ?? 'an unknown time'} (${how})`,
  );
}

/** @returns the value that a person gives; undefined: none is asked for @throws ServiceError `invalid` */
function valueIn({ field }: Conflict, resolution: Decided, values: JsonObject | undefined): Json | undefined {
  if (resolution !== 'merged') {
    if (values === undefined) return undefined;
    throw invalidMembers([
      { path: '/values', message: `belongs to "merged": leave it out with "${resolution}"` },
    ]);
  }
  const names = Object.keys(values ?? {});
  const value = values !== undefined && Object.hasOwn(values, field) ? values[field] : undefined;
  if (value !== undefined && names.length === 1) return value;
  throw invalidMembers([
    { path: '/values', message: `must hold the value for the field of this conflict alone: {"${field}": …}` },
  ]);
}
