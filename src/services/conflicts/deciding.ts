import type { OutboxRow, WriteKind } from '../../domain/outbox.ts';
import type { Stores } from '../ports.ts';

type Deciding = Pick<OutboxRow<WriteKind>, 'conflictId'>;

/** What was decided is in Attio. One that was reopened when its write was given up is closed by the replay of it. */
export async function settleByWrite(
  stores: Pick<Stores, 'conflicts'>,
  { conflictId = null }: Deciding,
  at: string,
): Promise<void> {
  const conflict = conflictId === null ? undefined : await stores.conflicts.get(conflictId);
  if (conflictId === null || conflict === undefined) return;
  const { merged } = conflict;
  const value = merged === undefined ? { decided: 'local' as const } : { decided: 'merged' as const, merged };
  await stores.conflicts.close(conflictId, { ...value, reason: 'resolved', at });
}

/** What was decided cannot be written: the conflict waits for a person again, unless a newer one of the field does. */
export async function takeBackDecision(
  stores: Pick<Stores, 'conflicts'>,
  { conflictId = null }: Deciding,
): Promise<void> {
  const conflict = conflictId === null ? undefined : await stores.conflicts.get(conflictId);
  if (conflictId === null || conflict === undefined || conflict.status === 'open') return;
  const { object, entityId, field } = conflict;
  const open = (await stores.conflicts.openOf(object, [entityId])).get(entityId) ?? [];
  if (open.some((other) => other.field === field)) return;
  await stores.conflicts.reopen(conflictId, 'refused');
}
