import { AttributeValueError } from '../../attio/values/codec.ts';
import type { Conflict, NewConflict } from '../../domain/conflicts.ts';
import { isThere } from '../../domain/decide-write.ts';
import type { Json } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { RecordValues } from '../../domain/records.ts';
import { ServiceError } from '../errors.ts';
import { type Attributes, operationOf, plainField, sameness, slugOf } from '../outbox/fields.ts';
import type { PlannedConflict } from '../outbox/plan.ts';
import type { ConflictStore, Stores } from '../ports.ts';

/**
 * Conflicts that wait for a person, as everything that changes a thing meets them.
 *
 * While one is open, Attio keeps its value and our side shows what was asked for here; a read of Attio refreshes the one,
 * a write of ours the other, and when both come to be the same it is closed. The thing's other fields go on.
 */

/** Whose conflicts. */
export interface Subject {
  /** The slug of an object, or `entry` or `task`. */
  readonly object: string;
  readonly entityId: string;
  readonly recordId: string | null;
}

/** The open ones of a thing, by field. */
export async function openByField(
  conflicts: Pick<ConflictStore, 'openOf'>,
  object: string,
  entityId: string,
): Promise<ReadonlyMap<string, Conflict>> {
  const open = (await conflicts.openOf(object, [entityId])).get(entityId) ?? [];
  return new Map(open.map((conflict) => [conflict.field, conflict]));
}

/** What is asked for in open ones, by thing: our side goes on showing it, below what is on its way. */
export async function openIntents(
  stores: Pick<Stores, 'conflicts'>,
  object: string,
  entityIds: readonly string[],
): Promise<Map<string, WriteIntent[]>> {
  const open = await stores.conflicts.openOf(object, entityIds);
  return new Map([...open].map(([id, conflicts]) => [id, conflicts.map(intentOf)]));
}

function intentOf({ field, wanted }: Conflict): WriteIntent {
  return { [field]: wanted };
}

/** What Attio has for the field of a conflict, and whether that is what is asked for; null: it cannot be told. */
export type Reading = (conflict: Conflict) => { readonly value: Json; readonly isAgreed: boolean } | null;

/** @param attributes null: not known */
export function readingOf(attributes: Attributes | null, values: RecordValues): Reading {
  return ({ field, wanted }) => {
    const attribute = attributes?.get(slugOf(field));
    if (attribute === undefined) return null;
    const value = plainField(field, attribute, values);
    try {
      const operation = operationOf(field, attribute, wanted);
      return { value, isAgreed: isThere(operation, value, sameness(field, attribute)) };
    } catch (error) {
      // The attribute takes other values by now: what is asked for is a person's to change.
      if (error instanceof AttributeValueError) return { value, isAgreed: false };
      throw error;
    }
  };
}

/**
 * Things were read from Attio: their open conflicts show what it has now, and those whose sides agree are closed.
 * @param readings by our id of the thing
 * @returns what is asked for in those that stay open, by thing
 */
export async function meetReadings(
  stores: Pick<Stores, 'conflicts'>,
  object: string,
  readings: ReadonlyMap<string, Reading>,
  at: string,
): Promise<Map<string, WriteIntent[]>> {
  const open = await stores.conflicts.openOf(object, [...readings.keys()]);
  const left = new Map<string, WriteIntent[]>();
  for (const [entityId, conflicts] of open) {
    const intents: WriteIntent[] = [];
    for (const conflict of conflicts) {
      const seen = readings.get(entityId)?.(conflict) ?? null;
      const id = Number(conflict.id);
      if (seen?.isAgreed === true) await stores.conflicts.close(id, { decided: null, reason: 'agreed', at });
      else intents.push(intentOf(conflict));
      if (seen?.isAgreed === false) await stores.conflicts.update(id, { attio: seen.value });
    }
    left.set(entityId, intents);
  }
  return left;
}

/**
 * A plan that held something back for an open conflict is no plan any more when that was settled meanwhile.
 * @throws ServiceError `unavailable`, isolated
 */
export async function mustStillBeOpen(
  stores: Pick<Stores, 'conflicts'>,
  conflicts: readonly PlannedConflict[],
): Promise<void> {
  for (const { heldBy } of conflicts) {
    const conflict = heldBy === null ? undefined : await stores.conflicts.get(Number(heldBy));
    if (heldBy === null || conflict?.status === 'open') continue;
    throw new ServiceError('unavailable', 'a conflict that held it back was settled', { isolated: true });
  }
}

/**
 * Puts on record what a write has met: decided conflicts, new open ones, and what was asked for in those that were open.
 * @returns how many fields were held back for a person
 */
export async function recordConflicts(
  stores: Pick<Stores, 'conflicts'>,
  subject: Subject,
  found: { readonly conflicts: readonly PlannedConflict[]; readonly agreed: readonly string[] },
  at: string,
): Promise<number> {
  const open = await openByField(stores.conflicts, subject.object, subject.entityId);
  for (const field of found.agreed) {
    const conflict = open.get(field);
    if (conflict === undefined) continue;
    await stores.conflicts.close(Number(conflict.id), { decided: null, reason: 'agreed', at });
  }
  for (const { heldBy, decided, ...planned } of found.conflicts) {
    const standing = open.get(planned.field);
    if (decided === 'open' && standing !== undefined) {
      const { local, wanted, attio } = planned;
      await stores.conflicts.update(Number(standing.id), { local, wanted, attio });
    } else await stores.conflicts.append([toRow(subject, decided, planned, at)]);
  }
  return found.conflicts.filter(({ decided }) => decided === 'open').length;
}

function toRow(
  subject: Subject,
  decided: PlannedConflict['decided'],
  planned: Omit<PlannedConflict, 'decided' | 'heldBy'>,
  at: string,
): NewConflict {
  const verdict =
    decided === 'open'
      ? ({ status: 'open', decided: null } as const)
      : ({ status: 'resolved', decided } as const);
  return { ...subject, ...planned, ...verdict, at };
}

/** There is nothing left to decide: the things are gone. What was asked for stays to be seen. */
export async function closeAll(
  stores: Pick<Stores, 'conflicts'>,
  object: string,
  entityIds: readonly string[],
  reason: 'deleted_in_attio' | 'removed',
  at: string,
): Promise<void> {
  const open = [...(await stores.conflicts.openOf(object, entityIds)).values()].flat();
  for (const { id } of open) await stores.conflicts.close(Number(id), { decided: 'attio', reason, at });
}

/**
 * Two things turned out to be one: what was open of the one is open of the survivor. Where both have one of the same
 * field, the survivor's is left to be decided, and the other one stays to be seen.
 */
export async function passOnConflicts(
  stores: Pick<Stores, 'conflicts'>,
  object: string,
  fromId: string,
  to: { readonly entityId: string; readonly recordId: string | null; readonly read: Reading | null },
  at: string,
): Promise<void> {
  const moving = (await stores.conflicts.openOf(object, [fromId])).get(fromId) ?? [];
  if (moving.length === 0) return;
  const standing = await openByField(stores.conflicts, object, to.entityId);
  const { entityId, recordId, read } = to;
  for (const conflict of moving) {
    const id = Number(conflict.id);
    if (standing.has(conflict.field)) {
      await stores.conflicts.close(id, { decided: 'attio', reason: 'merged_in_attio', at });
    } else await stores.conflicts.update(id, { entityId, recordId });
  }
  if (read !== null) await meetReadings(stores, object, new Map([[entityId, read]]), at);
}
