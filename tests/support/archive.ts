/** Written by tests of what is deleted and restored. */
import { expect } from 'vitest';
import { made, tell } from './identity.ts';
import type { Answer, TestService } from './service.ts';
import { contactStatus, quiet, type WrittenContact, type WrittenJson } from './writes.ts';

export const EMAIL = 'ada@archive.example';
export const ARCHIVED = {
  email: EMAIL,
  firstName: 'Ada',
  lastName: 'Lovelace',
  jobTitle: 'Analyst',
  phone: '+15550100001',
  externalId: 'crm:7',
  attributes: {
    lead_source: 'Event',
    interests: ['Analytics'],
    email_addresses: [EMAIL, 'ada@home.example'],
  },
};

export function restore(
  service: TestService,
  id: string,
  query = '',
  headers: Record<string, string> = {},
): Promise<Answer<WrittenJson>> {
  return service.call<WrittenJson>('POST', `/v1/contacts/${id}/restore${query}`, { headers });
}

/** A contact that somebody has deleted in Attio. */
export async function deleted(service: TestService): Promise<WrittenContact> {
  const company = { domain: 'archive.example' };
  const data = await made(service, { ...ARCHIVED, company });
  await quiet(service);
  service.sandbox.sandbox.deleteRecord({ object: 'people', recordId: data.recordId });
  await tell(service, 'deleted', data.recordId);
  await service.settled();
  expect(await contactStatus(service, data.id)).toBe(410);
  return data;
}
