/** Written by tests of pipelines: what they send, what they see, and what Attio has. */
import type { Answer, TestService } from './service.ts';
import type { SyncJson } from './writes.ts';

export interface EntryJson {
  readonly id: string;
  readonly entryId: string | null;
  readonly list: string;
  readonly object: string;
  readonly recordId: string | null;
  readonly stage: { readonly id: string | null; readonly title: string } | null;
  readonly value: { readonly amount: number; readonly currencyCode: string } | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly version: number;
  readonly sync: SyncJson;
}

export interface WrittenEntry {
  readonly data: EntryJson;
  readonly sync: SyncJson;
  readonly detail?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export function add(
  service: TestService,
  list: string,
  body: unknown,
  query = '',
): Promise<Answer<WrittenEntry>> {
  return service.call<WrittenEntry>('POST', `/v1/pipelines/${list}/entries${query}`, { body });
}

export function change(
  service: TestService,
  list: string,
  id: string,
  body: unknown,
): Promise<Answer<WrittenEntry>> {
  return service.call<WrittenEntry>('PATCH', `/v1/pipelines/${list}/entries/${id}`, { body });
}

export async function entries(service: TestService, list: string, query = ''): Promise<EntryJson[]> {
  return (await service.get<{ data: EntryJson[] }>(`/v1/pipelines/${list}/entries${query}`)).body.data;
}

/** Entries of a list in Attio, but for the seeded one, the oldest first: parent, stage and value. */
export function attioEntries(
  service: TestService,
  slug: string,
): { parent: string; stage: unknown; value: unknown }[] {
  const list = service.sandbox.sandbox.world.list(slug);
  const found = service.sandbox.sandbox.act({
    method: 'POST',
    path: `/lists/${list.id}/entries/query`,
    body: { sorts: [{ attribute: 'created_at', direction: 'asc' }] },
  }) as { parent_record_id: string; entry_values: Record<string, Record<string, unknown>[]> }[];
  return found.slice(1).map(({ parent_record_id: parent, entry_values: values }) => ({
    parent,
    stage: (values['stage']?.[0]?.['status'] as { title: string } | undefined)?.title ?? null,
    value: values['value']?.[0]?.['currency_value'] ?? null,
  }));
}

export function entryRequests(service: TestService, method: string): number {
  return service.sandbox.sandbox
    .requests()
    .requests.filter((one) => one.method === method && /\/lists\/[^/]+\/entries$/.test(one.path)).length;
}

export async function stages(service: TestService, list: string) {
  const { body } = await service.get<{
    data: {
      list: { slug: string };
      stages: { id: string; title: string; count: number; valueTotal: number; currencyCode: string }[];
    };
  }>(`/v1/pipelines/${list}`);
  return body.data.stages;
}
