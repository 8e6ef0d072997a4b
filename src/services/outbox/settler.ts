import type { Clock } from '../../domain/clock.ts';
import type { NewConflict } from '../../domain/conflicts.ts';
import type { EntityKind, EntityRow } from '../../domain/entities.ts';
import type { Json } from '../../domain/json.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import type { OutboxEvents, Stores, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import type { ApplyService } from '../sync/apply.ts';
import { type PlainOf, reproject } from '../sync/project.ts';
import type { Failure } from './failure.ts';
import { type Attributes, plainField, slugOf } from './fields.ts';
import type { WritePlan } from './plan.ts';
import type { Target } from './target.ts';
import type { Waiters } from './waiters.ts';

export interface SettlerDeps {
  readonly store: UnitOfWork;
  readonly apply: ApplyService;
  readonly schema: Pick<SchemaService, 'attributesOf' | 'plainValues'>;
  readonly waiters: Waiters;
  readonly clock: Clock;
  readonly events: OutboxEvents;
  /** What is mirrored of the record may not be all: it is to be read again. */
  readonly lookAgain: (kind: EntityKind, recordId: string) => void;
}

/** The write was cancelled while it was sent: nothing of its answer may be stored. */
class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** Commits how writes end: the outbox row, the record, the thing and what waits behind it change together. */
export class Settler {
  readonly #deps: SettlerDeps;

  constructor(deps: SettlerDeps) {
    this.#deps = deps;
  }

  /** The write is in Attio. @param answer the record as it is now */
  async confirm(row: OutboxRow, entityId: string, answer: RecordSnapshot, plan: WritePlan): Promise<void> {
    const { apply, schema, events } = this.#deps;
    const { kind } = row;
    const [attributes, plainOf] = [await schema.attributesOf(kind), await schema.plainValues(kind)];
    const at = this.#now();
    let owner = entityId;
    const applied = await this.#unlessCancelled(row, () =>
      apply.apply(kind, [answer], {
        touchUnchanged: false,
        source: 'local',
        before: async (stores) => {
          if (!(await stores.outbox.settle(row.id, 'done', at, null))) throw new CancelledError();
          await stores.records.setHidden(kind, [answer.recordId], false, at);
          owner = await link(stores, kind, entityId, answer.recordId, at);
        },
        within: async (stores) => {
          await rebase(stores, row, owner, answer, attributes);
          await stores.conflicts.append(conflictRows(row, owner, answer.recordId, plan, at));
          await reproject(stores, kind, owner, plainOf, at);
        },
      }),
    );
    if (applied === null) return;
    if (applied.stale > 0) this.#deps.lookAgain(kind, answer.recordId);
    for (const { decided } of plan.conflicts) events.conflictDecided(kind, decided, 1);
    this.#settled(row, 'done');
  }

  async confirmDeletion(row: OutboxRow): Promise<void> {
    await this.#deps.store.outbox.settle(row.id, 'done', this.#now(), null);
    this.#settled(row, 'done');
  }

  /** There is no such thing here any more. */
  async drop(row: OutboxRow): Promise<void> {
    await this.#deps.store.outbox.settle(row.id, 'cancelled', this.#now(), null);
    this.#settled(row, 'cancelled');
  }

  /** Somebody deleted the record in Attio while the write was held back: it stays deleted, and that is put on record. */
  async yieldToDeletion(row: OutboxRow, { entity }: Target): Promise<void> {
    const at = this.#now();
    const failure = {
      code: 'deleted_in_attio',
      detail: 'the record was deleted in Attio while the write was held back',
    };
    await this.#deps.store.transaction(async (stores) => {
      await stores.outbox.settle(row.id, 'refused', at, failure);
      await stores.conflicts.append([
        {
          object: row.kind,
          entityId: entity.id,
          recordId: entity.recordId,
          field: 'record',
          base: null,
          local: row.intent,
          attio: null,
          decided: 'attio',
          status: 'resolved',
          reason: failure.code,
          at,
        },
      ]);
    });
    this.#deps.events.conflictDecided(row.kind, 'attio', 1);
    this.#settled(row, 'refused');
  }

  /**
   * Attio refuses the write for good, or has for too long: the thing goes back to what both sides agree on. Whoever
   * waits is told; if nobody does, a dead letter is left.
   */
  async refuse(row: OutboxRow, failure: Failure, plainOf: PlainOf): Promise<void> {
    const { store, waiters, events, lookAgain } = this.#deps;
    const at = this.#now();
    let restored: string | null = null;
    const told = failure.kind === 'refused' && waiters.claim(row.id);
    try {
      await store.transaction(async (stores) => {
        const { code, detail } = failure;
        const settled = await stores.outbox.settle(row.id, told ? 'refused' : 'dead', at, { code, detail });
        if (!settled) return;
        if (!told) await stores.outbox.bury(letterOf(row, failure, at));
        restored = await goBack(stores, row, told ? null : { code, detail }, at);
        await reproject(stores, row.kind, row.entityId, plainOf, at);
      });
    } catch (error) {
      waiters.dismiss(row.id);
      throw error;
    }
    if (restored !== null) lookAgain(row.kind, restored);
    if (!told) events.writeBuried(row.kind, failure.code);
    const { message, attio } = failure;
    waiters.tell(row.id, { outcome: 'refused', message, attio });
    events.writeSettled(row.kind, told ? 'refused' : 'dead', this.#lagSeconds(row));
  }

  async #unlessCancelled<T>(row: OutboxRow, commit: () => Promise<T>): Promise<T | null> {
    try {
      return await commit();
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      this.#settled(row, 'cancelled');
      return null;
    }
  }

  #settled(row: OutboxRow, outcome: 'done' | 'refused' | 'cancelled'): void {
    this.#deps.waiters.tell(row.id, { outcome: 'done' });
    this.#deps.events.writeSettled(row.kind, outcome, this.#lagSeconds(row));
  }

  #lagSeconds(row: OutboxRow): number {
    return (this.#deps.clock.now() - Date.parse(row.acceptedAt)) / 1000;
  }

  #now(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }
}

/**
 * The record is that of the thing. When another thing has it already, the two are one: the other one lives on.
 * @returns the id of the thing that has the record now
 */
async function link(
  stores: Stores,
  kind: EntityKind,
  entityId: string,
  recordId: string,
  at: string,
): Promise<string> {
  const entity = await stores.entities.find(kind, entityId);
  if (entity === undefined) return entityId;
  const owner = (await stores.entities.byRecordIds(kind, [recordId])).get(recordId);
  if (owner === undefined || owner.id === entity.id) {
    await stores.entities.put([
      { ...entity, recordId, deletedAt: null, mergedInto: null, syncFailure: null },
    ]);
    return entity.id;
  }
  const { externalId } = entity;
  await stores.entities.put([
    {
      ...entity,
      externalId: null,
      deletedAt: at,
      mergedInto: owner.id,
      version: entity.version + 1,
      updatedAt: at,
    },
  ]);
  await stores.outbox.redirect(kind, entity.id, owner.id);
  const heir: EntityRow = { ...owner, externalId: owner.externalId ?? externalId, syncFailure: null };
  await stores.entities.put([{ ...heir, deletedAt: null, mergedInto: null }]);
  return owner.id;
}

/** What waits behind a write was accepted before this was agreed on: nobody else's change, but ours. */
async function rebase(
  stores: Stores,
  row: OutboxRow,
  entityId: string,
  answer: RecordSnapshot,
  attributes: Attributes,
): Promise<void> {
  const waiting = (await stores.outbox.pendingOf(row.kind, [entityId])).get(entityId) ?? [];
  if (waiting.length === 0) return;
  const agreed: Record<string, Json> = {};
  for (const field of Object.keys(row.intent)) {
    const attribute = attributes.get(slugOf(field));
    if (attribute !== undefined) agreed[field] = plainField(field, attribute, answer.values);
  }
  for (const later of waiting) await stores.outbox.rebase(later.id, { ...later.base, ...agreed });
}

function conflictRows(
  row: OutboxRow,
  entityId: string,
  recordId: string,
  plan: WritePlan,
  at: string,
): NewConflict[] {
  return plan.conflicts.map((conflict) => ({
    ...conflict,
    object: row.kind,
    entityId,
    recordId,
    status: 'resolved',
    reason: 'last-write-wins',
    at,
  }));
}

/**
 * Takes back what the write has changed here and was for Attio alone to confirm.
 * @returns a record that is to be seen here again
 */
async function goBack(
  stores: Stores,
  row: OutboxRow,
  failure: EntityRow['syncFailure'],
  at: string,
): Promise<string | null> {
  const entity = await stores.entities.find(row.kind, row.entityId);
  if (entity === undefined) return null;
  if (row.operation === 'delete') {
    if (entity.recordId !== null) await stores.records.setHidden(row.kind, [entity.recordId], false, at);
    return entity.recordId;
  }
  const others = (await stores.outbox.pendingOf(row.kind, [entity.id])).get(entity.id) ?? [];
  // It has never been in Attio, and whoever asked for it knows that it will not be.
  if (failure === null && entity.recordId === null && others.length === 0) {
    await stores.entities.remove(row.kind, entity.id);
    return null;
  }
  const externalId = row.externalIdBefore === undefined ? entity.externalId : row.externalIdBefore;
  await stores.entities.put([{ ...entity, externalId, syncFailure: failure ?? entity.syncFailure }]);
  return null;
}

function letterOf(row: OutboxRow, failure: Failure, at: string) {
  return {
    kind: 'outbox' as const,
    reason: failure.code,
    detail: failure.detail,
    eventId: null,
    outboxId: row.id,
    eventType: `${row.kind}.${row.operation}`,
    bodyBase64: null,
    attempts: row.attempts,
    createdAt: at,
  };
}
