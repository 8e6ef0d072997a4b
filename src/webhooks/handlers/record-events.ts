import type { Dependents } from '../../services/items/dependents.ts';
import type { RefreshService } from '../../services/sync/refresh.ts';
import type { HandlerOutcome, WebhookHandler, WebhookRouter } from '../router.ts';
import { besideId, factsOf, idOf } from './members.ts';

interface RecordEventsDeps {
  readonly refresh: Pick<RefreshService, 'refresh' | 'refreshMerged'>;
  readonly dependents: Pick<Dependents, 'lookAgain'>;
}

/** Record events are hints: each has the record looked at again; what is found is what counts. */
export function registerRecordEvents(router: WebhookRouter, { refresh, dependents }: RecordEventsDeps): void {
  const look =
    (expect: 'present' | 'gone'): WebhookHandler =>
    (event, receivedAt) =>
      refresh.refresh({
        objectId: idOf(event, 'object_id'),
        recordId: idOf(event, 'record_id'),
        expect,
        event: factsOf(event, receivedAt),
      });
  /** Of a mirrored object its going has that done; what hangs on others is mirrored all the same. */
  const lookAtItems = (recordId: string, outcome: HandlerOutcome) => {
    if (outcome === 'ignored') dependents.lookAgain([{ recordId }]);
    return outcome;
  };
  router
    .on('record.created', look('present'))
    .on('record.updated', look('present'))
    .on('record.deleted', async (event, receivedAt) =>
      lookAtItems(idOf(event, 'record_id'), await look('gone')(event, receivedAt)),
    )
    .on('record.merged', async (event) => {
      const survivorId = idOf(event, 'record_id');
      const duplicateId = besideId(event, 'duplicate_record_id') ?? '';
      const merge = { objectId: idOf(event, 'object_id'), survivorId, duplicateId };
      return lookAtItems(duplicateId, await refresh.refreshMerged(merge));
    });
}
