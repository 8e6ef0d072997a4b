import type { Clock } from '../../domain/clock.ts';
import { CREATION, type EchoLine } from '../../domain/echoes.ts';
import type { EntityKind, EntityRow } from '../../domain/entities.ts';
import type { OutboxRow } from '../../domain/outbox.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import type { SyncFailure } from '../../domain/sync-state.ts';
import { settleByWrite, takeBackDecision } from '../conflicts/deciding.ts';
import { mustStillBeOpen, recordConflicts } from '../conflicts/open.ts';
import { contentsOf, linesOf } from '../echoes/lines.ts';
import { ServiceError } from '../errors.ts';
import type { OutboxEvents, Stores, UnitOfWork } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import type { ApplyService } from '../sync/apply.ts';
import type { Mapping } from '../sync/mapping.ts';
import { type PlainOf, reproject } from '../sync/project.ts';
import { rebase } from './agreement.ts';
import type { Failure } from './failure.ts';
import type { Attributes } from './fields.ts';
import { goBack, letterOf } from './going-back.ts';
import { link } from './linking.ts';
import { passOn } from './moved.ts';
import type { WritePlan } from './plan.ts';
import type { Target } from './target.ts';
import { hideRecord, leaveUnseen, removedThing } from './unseen.ts';
import type { Waiters } from './waiters.ts';

export interface SettlerDeps {
  readonly store: UnitOfWork;
  readonly mapping: Mapping;
  readonly apply: ApplyService;
  readonly schema: Pick<SchemaService, 'attributesOf' | 'plainValues'>;
  readonly waiters: Waiters;
  readonly clock: Clock;
  readonly events: OutboxEvents;
  /** What is mirrored of the record may not be all: it is to be read again. */
  readonly lookAgain: (kind: EntityKind, recordId: string) => void;
}

/** An object that the workspace does not have has no values. */
function ofNoObject(error: unknown): PlainOf {
  if (error instanceof ServiceError && error.kind === 'not_found') return () => ({});
  throw error;
}

/** What webhooks will tell of: as it is now, which is as the write has left it. */
function echoesOf(
  { snapshot }: Target,
  { object, recordId, values }: RecordSnapshot,
  plan: WritePlan,
  attributes: Attributes,
  at: string,
): EchoLine[] {
  const slugs = [plan.set, plan.add, plan.exact].flatMap((part) => Object.keys(part));
  const contents = new Map(contentsOf(attributes, values, slugs));
  if (snapshot === null) contents.set(CREATION, null);
  return linesOf({ kind: object, attioId: recordId }, contents, at);
}

/** The thing was removed here while the write was sent: nothing of its answer may be stored. */
class CancelledError extends Error {
  override readonly name = 'CancelledError';
}

/** The record was deleted before its answer came, and that is known here: the thing goes with it. */
async function followDeletion(
  stores: Stores,
  kind: EntityKind,
  entityId: string,
  { recordId }: RecordSnapshot,
  at: string,
): Promise<void> {
  const state = (await stores.records.states(kind, [recordId])).get(recordId);
  const entity = await stores.entities.find(kind, entityId);
  if (state === undefined || state.deletedAt === null || state.mergedInto !== null) return;
  if (entity === undefined || entity.recordId !== recordId || entity.deletedAt !== null) return;
  await stores.entities.put([{ ...entity, deletedAt: at, updatedAt: at, version: entity.version + 1 }]);
}

/** Commits how writes end: the outbox row, the record, the thing and what waits behind it change together. */
export class Settler {
  readonly #deps: SettlerDeps;

  constructor(deps: SettlerDeps) {
    this.#deps = deps;
  }

  /** The write is in Attio. @param answer the record as it is now */
  async confirm(row: OutboxRow, target: Target, answer: RecordSnapshot, plan: WritePlan): Promise<void> {
    const { apply, schema, mapping, events } = this.#deps;
    const { kind } = row;
    const entityId = target.entity.id;
    const [attributes, plainOf] = [await schema.attributesOf(kind), await schema.plainValues(kind)];
    const at = this.#now();
    const theirs = new Set(
      plan.conflicts.filter(({ decided }) => decided !== 'local').map(({ field }) => field),
    );
    let owner = entityId;
    let held = 0;
    const applied = await this.#unlessCancelled(row, target, answer, () =>
      apply.apply(kind, [answer], {
        touchUnchanged: false,
        source: 'local',
        before: async (stores) => {
          await mustStillBeOpen(stores, plan.conflicts);
          const removed = target.wasDeleted ? null : await removedThing(stores, kind, entityId);
          if (!(await stores.outbox.settle(row.id, 'done', at, null))) throw new CancelledError();
          // Removed here while the write was pending: Attio has it, we stay without.
          if (removed?.recordId === answer.recordId) return;
          if (removed !== null) throw new CancelledError();
          await stores.records.setHidden(kind, [answer.recordId], false, at);
          owner = await link(stores, mapping, kind, entityId, answer.recordId, at);
        },
        within: async (stores) => {
          await rebase(stores, row, owner, answer, attributes, theirs);
          const subject = { object: kind, entityId: owner, recordId: answer.recordId };
          held = await recordConflicts(stores, subject, plan, at);
          await settleByWrite(stores, row, at);
          await stores.echoes.put(echoesOf(target, answer, plan, attributes, at));
          if (target.moved === true) await passOn(stores, mapping, row, owner, plainOf, at);
          for (const id of new Set([owner, row.entityId])) {
            await reproject(stores, mapping, kind, id, plainOf, at);
          }
          await followDeletion(stores, kind, owner, answer, at);
        },
      }),
    );
    if (applied === null) return;
    if (applied.stale > 0) this.#deps.lookAgain(kind, answer.recordId);
    for (const { decided, heldBy } of plan.conflicts) {
      if (heldBy === null) events.conflictDecided(kind, decided, 1);
    }
    this.#settled(row, 'done', { entityId: owner, held });
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
    const detail = 'the record was deleted in Attio while the write was held back';
    await this.#yield(row, entity, { code: 'deleted_in_attio', detail });
  }

  /** Somebody merged the record in Attio before it was deleted: what was asked of it is not asked of the survivor. */
  async yieldToMerge(row: OutboxRow, entity: EntityRow): Promise<void> {
    const detail = 'the record was merged into another one before it could be deleted';
    await this.#yield(row, entity, { code: 'merged_in_attio', detail });
  }

  async #yield(row: OutboxRow, entity: EntityRow, failure: SyncFailure): Promise<void> {
    const at = this.#now();
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
          wanted: row.intent,
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

  /** A record that turns out to be that of a thing which was removed here is not taken in. */
  async hide(entity: EntityRow, recordId: string): Promise<void> {
    const at = this.#now();
    await this.#deps.store.transaction((stores) => hideRecord(stores, entity, recordId, at));
  }

  /**
   * Attio refuses the write for good, or has for too long: the thing goes back to what both sides agree on. Whoever
   * waits is told; if nobody does, a dead letter is left.
   */
  async refuse(row: OutboxRow, failure: Failure): Promise<void> {
    const { store, mapping, waiters, events, lookAgain, schema } = this.#deps;
    const plainOf = await schema.plainValues(row.kind).catch(ofNoObject);
    const at = this.#now();
    let restored: string | null = null;
    let buried = false;
    const told = failure.kind === 'refused' && waiters.claim(row.id);
    try {
      await store.transaction(async (stores) => {
        const { code, detail } = failure;
        // It may have become another thing's since it was taken in hand.
        const { entityId } = (await stores.outbox.get(row.id)) ?? row;
        const settled = await stores.outbox.settle(row.id, told ? 'refused' : 'dead', at, { code, detail });
        if (!settled) return;
        if (!told) await stores.outbox.bury(letterOf(row, failure, at));
        buried = !told;
        restored = await goBack(stores, { ...row, entityId }, told ? null : { code, detail }, at);
        await takeBackDecision(stores, row);
        await reproject(stores, mapping, row.kind, entityId, plainOf, at, row.intent);
      });
    } catch (error) {
      waiters.dismiss(row.id);
      throw error;
    }
    if (restored !== null) lookAgain(row.kind, restored);
    if (buried) events.writeBuried(row.kind, failure.code);
    const { message, attio } = failure;
    waiters.tell(row.id, { outcome: 'refused', message, attio });
    events.writeSettled(row.kind, told ? 'refused' : 'dead', this.#lagSeconds(row));
  }

  async #unlessCancelled<T>(
    row: OutboxRow,
    { entity, snapshot }: Target,
    answer: RecordSnapshot,
    commit: () => Promise<T>,
  ): Promise<T | null> {
    try {
      return await commit();
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      await this.#deps.store.transaction((stores) =>
        leaveUnseen(stores, row, entity.id, answer, snapshot === null, this.#now()),
      );
      this.#settled(row, 'cancelled');
      return null;
    }
  }

  #settled(
    row: OutboxRow,
    outcome: 'done' | 'refused' | 'cancelled',
    { entityId, held } = { entityId: row.entityId, held: 0 },
  ): void {
    this.#deps.waiters.tell(row.id, { outcome: 'done', entityId, held });
    this.#deps.events.writeSettled(row.kind, outcome, this.#lagSeconds(row));
  }

  #lagSeconds(row: OutboxRow): number {
    return (this.#deps.clock.now() - Date.parse(row.acceptedAt)) / 1000;
  }

  #now(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }
}
