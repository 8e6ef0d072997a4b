/** Written by tests of who is who: merges, moves and deletions in Attio, and what is seen of them here. */
import { expect } from 'vitest';
import type { MergeSurvivor } from '../mocks/state/merge.ts';
import type { TestService } from './service.ts';
import { contact, delivered, put, type WrittenContact } from './writes.ts';

export type Survivor = MergeSurvivor;

/** A contact that Attio has, too, however long that took. */
export async function made(service: TestService, body: unknown): Promise<WrittenContact> {
  const { data } = (await put(service, body)).body;
  await delivered(service);
  return contact(service, data.id);
}

/** Two records become one. @returns the id of the one that lives */
export function merge(
  service: TestService,
  [primaryRecordId, secondaryRecordId]: readonly [string, string],
  survivor: Survivor = 'new',
  object = 'people',
): string {
  const merged = service.sandbox.sandbox.merge({ object, primaryRecordId, secondaryRecordId, survivor });
  return (merged['id'] as { record_id: string }).record_id;
}

/** Attio says that one record was merged into another. */
export async function tellMerge(
  service: TestService,
  dead: string,
  survivor: string,
  object = 'people',
): Promise<void> {
  const objectId = service.sandbox.sandbox.world.object(object).id;
  const more = { duplicate_object_id: objectId, duplicate_record_id: dead };
  await service.deliver(service.event('record.merged', object, survivor, more));
}

/** Attio says that something has happened to a record. */
export async function tell(
  service: TestService,
  what: 'created' | 'updated' | 'deleted',
  recordId: string,
  object = 'people',
): Promise<void> {
  await service.deliver(service.event(`record.${what}`, object, recordId));
}

/** Every contact there is. */
export async function allContacts(service: TestService): Promise<WrittenContact[]> {
  const { body } = await service.get<{ data: WrittenContact[] }>('/v1/contacts?limit=1000');
  return body.data;
}

export async function byExternalId(service: TestService, externalId: string): Promise<WrittenContact[]> {
  const { body } = await service.get<{ data: WrittenContact[] }>(`/v1/contacts?externalId=${externalId}`);
  return body.data;
}

/** Requests that have deleted records in Attio: there are none but those that a caller has asked for. */
export function recordDeletions(service: TestService): string[] {
  return service.sandbox.sandbox
    .requests()
    .requests.filter(
      ({ method, path, status }) => method === 'DELETE' && path.includes('/records/') && status === 200,
    )
    .map(({ path }) => path);
}

/** One contact for each person that Attio has, and none for anybody else. */
export async function expectOneEach(service: TestService): Promise<void> {
  const people = [...service.sandbox.sandbox.world.object('people').table.inOrder()].map((row) => row.id);
  const contacts = await allContacts(service);
  expect(contacts.map(({ recordId }) => recordId).toSorted()).toEqual(people.toSorted());
}
