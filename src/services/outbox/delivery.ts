import { isAttioError } from '../../attio/errors.ts';
import type { RecordsResource, WritableValues } from '../../attio/resources/records.ts';
import type { AttioResponse } from '../../attio/transport.ts';
import type { AttioRecord } from '../../attio/types.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ConflictRules } from '../../domain/conflict-policies.ts';
import type { EntityKind } from '../../domain/entities.ts';
import { isJsonObject } from '../../domain/json.ts';
import { isItemRow, type OutboxRow, type WriteIntent } from '../../domain/outbox.ts';
import type { RecordSnapshot } from '../../domain/records.ts';
import { openByField } from '../conflicts/open.ts';
import { ServiceError } from '../errors.ts';
import type { ConflictStore, OutboxStore } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import type { KeySlugs, Mapping } from '../sync/mapping.ts';
import { toSnapshot } from '../sync/source.ts';
import { fitArchive } from './archive.ts';
import type { Choosing } from './choosing.ts';
import { faultOfDealKey } from './deal-key.ts';
import type { Departures } from './departures.ts';
import { failureOf } from './failure.ts';
import type { Attributes } from './fields.ts';
import { isEmptyPlan, type PlanInput, planWrite, type WritePlan } from './plan.ts';
import type { Settler } from './settler.ts';
import type { Target, TargetFinder } from './target.ts';
import { Turns } from './turns.ts';

export interface DeliveryDeps {
  readonly outbox: Pick<OutboxStore, 'get'>;
  readonly records: Pick<RecordsResource, 'create' | 'update' | 'replace' | 'delete'>;
  readonly targets: TargetFinder;
  readonly settler: Settler;
  readonly schema: Pick<SchemaService, 'attributesOf'>;
  readonly keySlugs: KeySlugs;
  readonly policyOf: Mapping['policyOf'];
  readonly choosing: Pick<Choosing, 'chooseLate' | 'without'>;
  readonly conflicts: Pick<ConflictStore, 'openOf'>;
  readonly rules: ConflictRules;
  readonly departures: Pick<Departures, 'of'>;
  readonly clock: Clock;
  /** What Attio's clock shows at an instant of ours. */
  readonly attioTime: (ms: number) => number;
  /** A write that is older was not sent at once. */
  readonly heldBackAfterMs: number;
  /** Attio may lack a record that a write refers to: what we hold of it is to be looked at again. */
  readonly onDoubted: (object: string, recordId: string) => void;
}

type Outcome = 'ended' | 'overtaken' | 'outdated';

/** Attio and we may overtake each other; after so many rounds it is something else. */
const MAX_ROUNDS = 3;

/**
 * Brings one write to Attio.
 *
 * Look, decide, send, commit. Every attempt looks first, so a write that was carried out and whose answer was lost is
 * found done and is not sent again; nothing is resent without a look. What is new is made by POST, which Attio refuses
 * when somebody else holds the key: an upsert by PUT would replace the lists of a record that was made in between.
 */
export class OutboxDelivery {
  readonly #deps: DeliveryDeps;
  readonly #turns = new Turns();

  constructor(deps: DeliveryDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves when the write is in Attio and that is committed here.
   * @throws ServiceError or AttioApiError; AttributeValueError for what the workspace's schema no longer takes
   */
  async deliver(row: OutboxRow, signal: AbortSignal): Promise<void> {
    if (row.operation === 'delete') return this.#delete(row, signal);
    const attributes = await this.#deps.schema.attributesOf(row.kind);
    const unfit =
      row.kind === 'deals' && row.key !== null && faultOfDealKey(attributes, this.#deps.keySlugs.deals);
    if (unfit) throw new ServiceError('refused', unfit);
    let current = row;
    for (let round = 1; ; ) {
      const outcome = await this.#attempt(current, attributes, signal, round);
      if (outcome === 'ended') return;
      if (outcome === 'overtaken') round += 1;
      const fresh = await this.#fresh(row);
      if (fresh === null) return;
      current = fresh;
    }
  }

  /** The row as it is now: its thing may have become part of another, and what it stands on was agreed on anew. */
  async #fresh({ id }: OutboxRow): Promise<OutboxRow | null> {
    const row = await this.#deps.outbox.get(id);
    return row === undefined || row.status !== 'pending' || isItemRow(row) ? null : row;
  }

  /**
   * @returns `overtaken`: somebody has made the record, or deleted it, since we looked. `outdated`: a write of ours has
   *   come first, or the thing has become part of another
   */
  async #attempt(
    row: OutboxRow,
    attributes: Attributes,
    signal: AbortSignal,
    round: number,
  ): Promise<Outcome> {
    const { targets, settler } = this.#deps;
    const since = this.#turns.begin();
    try {
      const target = await targets.find(row);
      if (target === null) await settler.drop(row);
      else if (isUnknowable(row, target)) throw new ServiceError('refused', UNKNOWABLE);
      else if (this.#isTooLate(row, target)) await settler.yieldToDeletion(row, target);
      else return await this.#write(row, target, attributes, signal, { round, since });
      return 'ended';
    } finally {
      this.#turns.end();
    }
  }

  async #write(
    row: OutboxRow,
    target: Target,
    attributes: Attributes,
    signal: AbortSignal,
    { round, since }: { round: number; since: number },
  ): Promise<Outcome> {
    if (target.entity.id !== row.entityId && (await this.#fresh(row))?.entityId !== row.entityId)
      return 'outdated';
    let outcome: Outcome = 'ended';
    const send = async () => {
      const plan = await this.#plan(row, target, attributes, signal);
      try {
        await this.#deps.settler.confirm(row, target, await this.#send(row.kind, target, plan, signal), plan);
      } catch (error) {
        const isOvertaken = round < MAX_ROUNDS && (await this.#isOvertaken(error, row, target, round));
        if (!isOvertaken) throw await this.#explained(error, row.kind, target, plan);
        outcome = 'overtaken';
      }
    };
    if (target.snapshot === null) await send();
    else if (!(await this.#turns.take(target.snapshot.recordId, since, send))) return 'outdated';
    return outcome;
  }

  /** Somebody has made the record, deleted it, moved its key, or merged what it refers to, since we looked. */
  async #isOvertaken(error: unknown, row: OutboxRow, target: Target, round: number): Promise<boolean> {
    const isNew = target.snapshot === null;
    if (isAttioError(error, 'not_found')) return !isNew;
    if (isAttioError(error, 'uniqueness_conflict')) return this.#isHeldElsewhere(row, target, round);
    return round === 1 && isAttioError(error, 'value_not_found') && this.#deps.targets.recheck(row.intent);
  }

  /** Another record has the key that the write was asked by: that one is to be written to. */
  async #isHeldElsewhere(row: OutboxRow, target: Target, round: number): Promise<boolean> {
    const isNew = target.snapshot === null;
    if (isNew && round === 1) return true;
    if (row.key === null) return false;
    return (await this.#deps.targets.otherHolder(row.kind, target, [row.key])) !== null;
  }

  #isHeldBack(row: OutboxRow): boolean {
    const { clock, heldBackAfterMs } = this.#deps;
    return row.attempts > 0 || clock.now() - Date.parse(row.acceptedAt) > heldBackAfterMs;
  }

  /**
   * Somebody deleted the record while the write was held back. One that is sent at once makes it anew, when it names
   * what the record is found by.
   */
  #isTooLate(row: OutboxRow, target: Target): boolean {
    if (row.operation === 'restore') return false;
    return target.wasDeleted && target.snapshot === null && (row.key === null || this.#isHeldBack(row));
  }

  async #plan(
    row: OutboxRow,
    target: Target,
    attributes: Attributes,
    signal: AbortSignal,
  ): Promise<WritePlan> {
    const { targets, choosing, keySlugs, policyOf, conflicts, rules, departures } = this.#deps;
    const { kind, conflictId = null } = row;
    const { snapshot } = target;
    const isRestored = row.operation === 'restore';
    const intent = isRestored ? await this.#archived(row, target, attributes) : row.intent;
    const keySlug = keySlugs[kind];
    const input: PlanInput = {
      row: {
        intent: await targets.resolve(await choosing.chooseLate({ kind, keySlug, intent }, attributes)),
        base: target.moved === true || isRestored ? {} : row.base,
        conflictId,
      },
      scope: kind,
      values: snapshot?.values ?? {},
      attributes,
      acceptedAt: this.#deps.attioTime(Date.parse(row.acceptedAt)),
      heldBack: this.#isHeldBack(row),
      rules,
      ownerPolicy: (field) => policyOf(kind, field),
      open: conflictId === null ? await openByField(conflicts, kind, target.entity.id) : new Map(),
      goneSince: new Map(),
    };
    const plan = planWrite(input);
    if (plan.undated.length === 0 || snapshot === null) return plan;
    const undated = plan.undated.flatMap((slug) => attributes.get(slug) ?? []);
    const holder = { object: kind, id: snapshot.recordId };
    return planWrite({ ...input, goneSince: await departures.of(holder, undated, row.acceptedAt, signal) });
  }

  /** What was archived, without what refers to things that are gone, or names a choice that is no more. */
  async #archived(row: OutboxRow, target: Target, attributes: Attributes): Promise<WriteIntent> {
    const { targets, choosing, keySlugs } = this.#deps;
    const fit = await targets.withoutGone(fitArchive(row, target, attributes));
    const keySlug = keySlugs[row.kind];
    return choosing.without({ kind: row.kind, keySlug, intent: fit }, attributes);
  }

  #doubtReferences({ set, add }: WritePlan): void {
    for (const value of [...Object.values(set), ...Object.values(add)].flat()) {
      if (!isJsonObject(value)) continue;
      const { target_object: object, target_record_id: recordId } = value;
      if (typeof object === 'string' && typeof recordId === 'string') this.#deps.onDoubted(object, recordId);
    }
  }

  /** A refusal for a key that another record holds, with that record's id. */
  async #explained(error: unknown, kind: EntityKind, target: Target, plan: WritePlan): Promise<unknown> {
    if (isAttioError(error, 'value_not_found')) this.#doubtReferences(plan);
    if (!isAttioError(error, 'uniqueness_conflict')) return error;
    const { attio } = failureOf(error) ?? { attio: null };
    const { keySlugs, targets } = this.#deps;
    const keys = [plan.add, plan.set].flatMap((values) => values[keySlugs[kind]] ?? []);
    const other = await targets.otherHolder(kind, target, keys);
    if (other === null) return error;
    const words = `a value that must be unique is held by the ${kind} record ${other}: merge the two in Attio, or write to that one`;
    return new ServiceError('refused', words, { attio, cause: error });
  }

  /** @returns the record as it is afterwards */
  async #send(
    kind: EntityKind,
    { snapshot }: Target,
    plan: WritePlan,
    signal: AbortSignal,
  ): Promise<RecordSnapshot> {
    const { records } = this.#deps;
    const options = { signal, resend: false };
    const seen = (answer: AttioResponse<AttioRecord>) =>
      toSnapshot(kind, answer.data, answer.meta.accurateAt);
    if (snapshot === null) {
      const values = { ...withoutEmpty(plan.exact), ...plan.set, ...plan.add };
      return seen(await records.create(kind, values, options));
    }
    if (isEmptyPlan(plan)) return snapshot;
    const { recordId } = snapshot;
    if (!hasValues(plan.exact)) {
      return seen(await records.update(kind, recordId, { ...plan.set, ...plan.add }, options));
    }
    // What is added may clash with another record, so it goes first: a refusal has then changed nothing.
    if (hasValues(plan.add)) await records.update(kind, recordId, plan.add, options);
    try {
      return seen(await records.replace(kind, recordId, { ...plan.exact, ...plan.set }, options));
    } catch (error) {
      if (hasValues(plan.add)) this.#deps.onDoubted(kind, recordId);
      throw error;
    }
  }

  /** The record that the thing had when it was removed, and no other: not that of a survivor which it was merged into. */
  async #delete(row: OutboxRow, signal: AbortSignal): Promise<void> {
    const { records, settler, targets } = this.#deps;
    const { kind, key } = row;
    const entity = await targets.itself(kind, row.entityId);
    if (entity !== null && entity.mergedInto !== null) return settler.yieldToMerge(row, entity);
    // It was restored before its deletion was sent.
    if (entity !== null && entity.deletedAt === null) return settler.confirmDeletion(row);
    const recordId = entity?.recordId ?? (key === null ? null : await targets.recordOf(kind, key, signal));
    if (entity !== null && recordId !== null) {
      if (entity.recordId === null) await settler.hide(entity, recordId);
      // Not sent again by itself: it may be called off meanwhile.
      await records.delete(kind, recordId, { signal, resend: false });
    }
    await settler.confirmDeletion(row);
  }
}

const UNKNOWABLE =
  'Attio no longer has the record, and it has no address or domain by which it would be known again: make it anew in Attio';

/** To make it would be to make it twice, when the answer is lost. */
function isUnknowable(row: OutboxRow, { snapshot }: Target): boolean {
  return row.operation === 'restore' && row.key === null && snapshot === null;
}

function hasValues(values: WritableValues): boolean {
  return Object.keys(values).length > 0;
}

/** A record that is made has nothing to clear. */
function withoutEmpty<T>(values: Readonly<Record<string, readonly T[]>>): Record<string, readonly T[]> {
  return Object.fromEntries(Object.entries(values).filter(([, list]) => list.length > 0));
}
