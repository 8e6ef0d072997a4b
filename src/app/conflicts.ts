import { ConflictSubjects } from '../services/conflicts/subjects.ts';
import { ConflictsService } from '../services/conflicts.ts';
import { EntryValues } from '../services/items/entry-values.ts';
import type { AttioParts } from './attio.ts';
import type { Base } from './base.ts';
import type { MirrorParts } from './mirror.ts';
import type { OutboxParts } from './outbox.ts';

/** Where conflicts are seen, and those that are open are decided. */
export function buildConflicts(base: Base, attio: AttioParts, mirror: MirrorParts, outbox: OutboxParts) {
  const { store, clock } = base;
  const { schema, lists, choices, members } = attio;
  const { writer, waiters, choosing, showItem } = outbox;
  const subjects = new ConflictSubjects({
    mapping: mirror.mapping,
    schema,
    writer,
    choosing,
    items: store.items,
    lists,
    values: new EntryValues({ choices }),
    members,
    showItem,
  });
  return new ConflictsService({ conflicts: store.conflicts, store, subjects, writer, waiters, clock });
}
