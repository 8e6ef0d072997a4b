import type { WriteKind } from '../domain/outbox.ts';
import { type MaybeOwner, mayTake } from './claims.ts';
import type { Handle } from './database.ts';

/** Rows that may be sent, the oldest first: the first pending one of each thing, and none before those it waits for. */
export function sendable(db: Handle, owner: MaybeOwner, now: string, held: readonly WriteKind[]) {
  return db
    .selectFrom('outbox')
    .selectAll()
    .where('status', '=', 'pending')
    .where('kind', 'not in', held)
    .where('next_attempt_at', '<=', now)
    .where(mayTake(owner))
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('outbox as earlier')
            .select('earlier.id')
            .whereRef('earlier.kind', '=', 'outbox.kind')
            .whereRef('earlier.entity_id', '=', 'outbox.entity_id')
            .whereRef('earlier.id', '<', 'outbox.id')
            .where('earlier.status', '=', 'pending'),
        ),
      ),
    )
    .where(({ or, eb, not, exists, selectFrom }) =>
      or([
        eb('after_id', 'is', null),
        not(
          exists(
            selectFrom('outbox as awaited')
              .select('awaited.id')
              .whereRef('awaited.id', '=', 'outbox.after_id')
              .where('awaited.status', '=', 'pending'),
          ),
        ),
      ]),
    )
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('outbox_wait as wait')
            .innerJoin('outbox as other', 'other.id', 'wait.after_id')
            .select('other.id')
            .whereRef('wait.outbox_id', '=', 'outbox.id')
            .where('other.status', '=', 'pending'),
        ),
      ),
    )
    .orderBy('id');
}
