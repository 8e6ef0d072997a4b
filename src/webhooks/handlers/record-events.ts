import type { WebhookEvent } from '../../domain/webhook-events.ts';
import type { RefreshService } from '../../services/sync/refresh.ts';
import type { WebhookRouter } from '../router.ts';

type Refresh = Pick<RefreshService, 'refresh' | 'refreshMerged'>;

/** Record events are hints: each has the record looked at again; what is found is what counts. */
export function registerRecordEvents(router: WebhookRouter, refresh: Refresh): void {
  const look = (expect: 'present' | 'gone') => (event: WebhookEvent) =>
    refresh.refresh({ objectId: member(event, 'object_id'), recordId: member(event, 'record_id'), expect });
  router
    .on('record.created', look('present'))
    .on('record.updated', look('present'))
    .on('record.deleted', look('gone'))
    .on('record.merged', (event) =>
      refresh.refreshMerged({
        objectId: member(event, 'object_id'),
        survivorId: member(event, 'record_id'),
        duplicateId: String(event.raw['duplicate_record_id']).toLowerCase(),
      }),
    );
}

function member(event: WebhookEvent, name: string): string {
  const value = event.ids[name];
  if (value === undefined) throw new Error(`${event.type} without id.${name}`);
  return value;
}
