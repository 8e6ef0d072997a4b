import type { Answer, TestService } from './service.ts';
import { created, type SyncJson, startWriting, type WrittenJson } from './writes.ts';

/** Written by tests of deals: what they send, and what they see of it. */

export interface DealJson {
  readonly id: string;
  readonly recordId: string;
  readonly externalId: string | null;
  readonly name: string | null;
  readonly stage: { readonly id: string | null; readonly title: string | null } | null;
  readonly value: { readonly amount: number; readonly currencyCode: string | null } | null;
  readonly companyRecordId: string | null;
  readonly contactRecordIds: readonly string[];
  readonly ownerId: string | null;
  readonly ownerEmail: string | null;
  readonly version: number;
  readonly mergedFrom?: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly sync: SyncJson;
}

export interface WrittenDeal extends WrittenJson<DealJson> {
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export const DEAL = { externalId: 'order:1', name: 'Engine', stage: 'Lead' } as const;

export function startDeals(options: Parameters<typeof startWriting>[0] = {}): Promise<TestService> {
  return startWriting({ sandbox: { people: 3, companies: 2, deals: 0 }, ...options });
}

export function putDeal(service: TestService, body: unknown, query = ''): Promise<Answer<WrittenDeal>> {
  return service.call<WrittenDeal>('PUT', `/v1/deals${query}`, { body });
}

export function patchDeal(
  service: TestService,
  id: string,
  body: unknown,
  query = '',
): Promise<Answer<WrittenDeal>> {
  return service.call<WrittenDeal>('PATCH', `/v1/deals/${id}${query}`, { body });
}

export async function deal(service: TestService, id: string): Promise<DealJson> {
  return (await service.get<{ data: DealJson }>(`/v1/deals/${id}`)).body.data;
}

export async function dealsWith(service: TestService, externalId: string): Promise<DealJson[]> {
  const query = encodeURIComponent(externalId);
  return (await service.get<{ data: DealJson[] }>(`/v1/deals?externalId=${query}`)).body.data;
}

/** A deal is made in Attio by somebody. @returns the record id */
export function dealInAttio(service: TestService, values: Readonly<Record<string, unknown>> = {}): string {
  return created(service, 'deals', { name: ['Theirs'], stage: ['Lead'], ...values });
}

/** The title of a deal's stage in Attio. */
export function stageInAttio(service: TestService, recordId: string): string {
  const record = service.sandbox.sandbox.act({ method: 'GET', path: `/objects/deals/records/${recordId}` });
  const { values } = record as { values: { stage: { status: { title: string } }[] } };
  return values.stage[0]?.status.title ?? '';
}
