import type { Dependents } from '../../services/items/dependents.ts';
import type { MirroredLists } from '../../services/items/mirrored-lists.ts';
import type { ItemRefresh } from '../../services/items/refresh.ts';
import type { WebhookHandler, WebhookRouter } from '../router.ts';
import { factsOf, idOf } from './members.ts';

interface EntryEventsDeps {
  readonly refresh: Pick<ItemRefresh, 'refresh' | 'holds'>;
  readonly lists: Pick<MirroredLists, 'isMirrored'>;
  readonly dependents: Pick<Dependents, 'lookAgain'>;
}

/** Entry events are hints: each has the entry looked at again. What they say of its parent is not relied on. */
export function registerEntryEvents(router: WebhookRouter, deps: EntryEventsDeps): void {
  const look =
    (expect: 'present' | 'gone'): WebhookHandler =>
    async (event, receivedAt) => {
      const [listId, entryId] = [idOf(event, 'list_id'), idOf(event, 'entry_id')];
      // Of a list that the workspace has no more, what is mirrored is still to go.
      const mirrored =
        (await deps.lists.isMirrored(listId)) ?? (await deps.refresh.holds('entries', entryId));
      if (!mirrored) return 'ignored';
      const told = { expect, event: factsOf(event, receivedAt) };
      await deps.refresh.refresh({ kind: 'entries', listId }, entryId, told);
      if (expect === 'gone') deps.dependents.lookAgain([{ entryId }]);
      return 'done';
    };
  router
    .on('list-entry.created', look('present'))
    .on('list-entry.updated', look('present'))
    .on('list-entry.deleted', look('gone'));
}
