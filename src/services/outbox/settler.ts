import type { Clock } from '../../domain/clock.ts';
import type { NewConflict } from '../../domain/conflicts.ts';
import type { EntityKind, EntityRow } from '../../domain/entities.ts';
import { NAME_HALVES, type OutboxRow, type WriteBase } from '../../domain/outbox.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import type { OutboxEvents, Stores, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import type { ApplyService } from '../sync/apply.ts';
import { type PlainOf, reproject } from '../sync/project.ts';
import { takeBackExternalId } from './external-ids.ts';
import type { Failure } from './failure.ts';
import { type Attributes, isNameHalf, plainField, slugOf } from './fields.ts';
import { deletionOf } from './intents.ts';
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
  /** A read may show less than the write's answer: look again. */
  readonly onOvertaken: (kind: EntityKind, recordId: string) => void;
}

/** The thing was removed here while the write was sent: nothing of its answer may be stored. */
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
  async confirm(row: OutboxRow, target: Target, answer: RecordSnapshot, plan: WritePlan): Promise<void> {
    const { apply, schema, events } = this.#deps;
    const { kind } = row;
    const entityId = target.entity.id;
    const [attributes, plainOf] = [await schema.attributesOf(kind), await schema.plainValues(kind)];
    const at = this.#now();
    const theirs = new Set(
      plan.conflicts.filter(({ decided }) => decided === 'attio').map(({ field }) => field),
    );
    let owner = entityId;
    const applied = await this.#unlessCancelled(row, entityId, answer, () =>
      apply.apply(kind, [answer], {
        touchUnchanged: false,
        source: 'local',
        before: async (stores) => {
          const isRemoved = !target.wasDeleted && (await isDeleted(stores, kind, entityId));
          if (isRemoved || !(await stores.outbox.settle(row.id, 'done', at, null)))
            throw new CancelledError();
          await stores.records.setHidden(kind, [answer.recordId], false, at);
          owner = await link(stores, kind, entityId, answer.recordId, at);
        },
        within: async (stores) => {
          await rebase(stores, row, owner, answer, attributes, theirs);
          await stores.conflicts.append(conflictRows(row, owner, answer.recordId, plan, at));
          await reproject(stores, kind, owner, plainOf, at);
        },
      }),
    );
    if (applied === null) return;
    if (applied.stale > 0) this.#deps.onOvertaken(kind, answer.recordId);
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
    const { store, waiters, events } = this.#deps;
    const at = this.#now();
    const told = failure.kind === 'refused' && waiters.claim(row.id);
    let buried = false;
    try {
      await store.transaction(async (stores) => {
        const { code, detail } = failure;
        const settled = await stores.outbox.settle(row.id, told ? 'refused' : 'dead', at, { code, detail });
        if (!settled) return;
        if (!told) await stores.outbox.bury(letterOf(row, failure, at));
        buried = !told;
        await goBack(stores, row, told ? null : { code, detail }, at);
        await reproject(stores, row.kind, row.entityId, plainOf, at);
      });
    } catch (error) {
      waiters.unclaim(row.id);
      throw error;
    }
    if (buried) events.writeBuried(row.kind, failure.code);
    const { message, attio } = failure;
    waiters.tell(row.id, { outcome: 'refused', message, attio });
    events.writeSettled(row.kind, told ? 'refused' : 'dead', this.#lagSeconds(row));
  }

  async #unlessCancelled<T>(
    row: OutboxRow,
    entityId: string,
    answer: RecordSnapshot,
    commit: () => Promise<T>,
  ): Promise<T | null> {
    try {
      return await commit();
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      await this.#deps.store.transaction((stores) => leaveUnseen(stores, row, entityId, answer, this.#now()));
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

async function isDeleted(stores: Stores, kind: EntityKind, id: string): Promise<boolean> {
  const entity = await stores.entities.find(kind, id);
  return entity !== undefined && entity.deletedAt !== null && entity.mergedInto === null;
}

/** A record that was made for a thing that is removed here is not taken in; it is deleted when the thing was to be. */
async function leaveUnseen(
  stores: Stores,
  row: OutboxRow,
  entityId: string,
  { object, recordId, createdAt, readAt }: RecordSnapshot,
  at: string,
): Promise<void> {
  const { kind } = row;
  await stores.outbox.settle(row.id, 'cancelled', at, null);
  const entity = await stores.entities.find(kind, entityId);
  const owners = await stores.entities.byRecordIds(kind, [recordId]);
  if (entity === undefined || owners.size > 0) return;
  const stone = { deletedAt: at, mergedInto: null, hidden: true, webUrl: null, values: {}, hash: '' };
  await stores.records.upsert([{ object, recordId, createdAt, readAt, ...stone }]);
  await stores.entities.put([{ ...entity, recordId }]);
  if (await stores.outbox.isToBeDeleted(kind, entityId)) {
    await stores.outbox.add(deletionOf(entity, at));
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
  // The record was merged into another one while the write was sent.
  if (entity.mergedInto !== null) return entity.mergedInto;
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
  const heir: EntityRow = { ...owner, externalId: externalId ?? owner.externalId, syncFailure: null };
  await stores.entities.put([{ ...heir, deletedAt: null, mergedInto: null }]);
  return owner.id;
}

/**
 * What waits behind a write was accepted before this was agreed on: nobody else's change, but ours.
 * @param theirs fields that were left as somebody has made them in Attio: on these nothing is agreed
 */
async function rebase(
  stores: Stores,
  row: OutboxRow,
  entityId: string,
  answer: RecordSnapshot,
  attributes: Attributes,
  theirs: ReadonlySet<string>,
): Promise<void> {
  const waiting = (await stores.outbox.pendingOf(row.kind, [entityId])).get(entityId) ?? [];
  if (waiting.length === 0) return;
  const written = Object.keys(row.intent);
  // Half a name is written with the other half: from now on that one looks new, too.
  const seen = agreedOn(written.some(isNameHalf) ? NAME_HALVES : [], answer, attributes, theirs);
  const agreed = agreedOn(written, answer, attributes, theirs);
  for (const later of waiting) await stores.outbox.rebase(later.id, { ...seen, ...later.base, ...agreed });
}

function agreedOn(
  fields: readonly string[],
  answer: RecordSnapshot,
  attributes: Attributes,
  theirs: ReadonlySet<string>,
): WriteBase {
  const agreed = fields.flatMap((field) => {
    const attribute = theirs.has(field) ? undefined : attributes.get(slugOf(field));
    return attribute === undefined ? [] : [[field, plainField(field, attribute, answer.values)] as const];
  });
  return Object.fromEntries(agreed);
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

/** Takes back what the write has changed here and was for Attio alone to confirm. */
async function goBack(
  stores: Stores,
  row: OutboxRow,
  failure: EntityRow['syncFailure'],
  at: string,
): Promise<void> {
  const entity = await stores.entities.find(row.kind, row.entityId);
  if (entity === undefined) return;
  if (row.operation === 'delete') {
    if (entity.recordId !== null) await stores.records.setHidden(row.kind, [entity.recordId], false, at);
    return;
  }
  const others = (await stores.outbox.pendingOf(row.kind, [entity.id])).get(entity.id) ?? [];
  const earlier = entity.recordId === null ? await stores.outbox.lastFailureOf(row.kind, entity.id) : null;
  // It has never been in Attio, and whoever asked for it knows that it will not be.
  if (failure === null && entity.recordId === null && others.length === 0 && earlier === null) {
    await stores.entities.remove(row.kind, entity.id);
    return;
  }
  const externalId = await takeBackExternalId(stores, row, entity, others);
  const syncFailure = failure ?? entity.syncFailure ?? earlier;
  await stores.entities.put([{ ...entity, externalId, syncFailure }]);
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
