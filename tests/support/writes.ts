import type { AppConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { LoggedRequest } from '../mocks/request-log.ts';
import {
  type Answer,
  type ContactJson,
  startService,
  type TestService,
  until,
  waitingFor,
} from './service.ts';

/** Written by tests of the write path: what they send, what they see in Attio, and what was asked of it. */

export const SMALL = { people: 6, companies: 3, deals: 2 };

export interface SyncJson {
  readonly status: string;
  readonly recordId?: string | null;
  readonly code?: string;
  readonly detail?: string;
}

export interface WrittenContact extends ContactJson {
  readonly lastName: string | null;
  readonly phone: string | null;
  readonly companyRecordId: string | null;
  readonly externalId: string | null;
  readonly deletedAt: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly sync: SyncJson;
}

export interface WrittenJson<T = WrittenContact> {
  readonly data: T;
  readonly sync: SyncJson;
  /** Of a refusal. */
  readonly detail?: string;
  readonly attio?: { readonly code: string; readonly message: string };
}

export interface CompanyJson {
  readonly id: string;
  readonly recordId: string;
  readonly name: string | null;
  readonly domains: readonly string[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly sync: SyncJson;
}

export interface ConflictJson {
  readonly object: string;
  readonly entityId: string;
  readonly field: string;
  readonly base: unknown;
  readonly local: unknown;
  readonly attio: unknown;
  readonly decided: string;
  readonly status: string;
}

export interface LetterJson {
  readonly id: string;
  readonly kind: string;
  readonly reason: string;
  readonly detail: string;
}

/** Circuits that open and close soon: what is asserted are counts and states. */
export function impatient(config: AppConfig): AppConfig {
  return {
    ...config,
    attio: {
      ...config.attio,
      attemptTimeoutMs: 400,
      breaker: { failures: 3, halfOpenAfterMs: 300, maxHalfOpenAfterMs: 600 },
    },
    health: { probeEverySeconds: 1 },
  };
}

/** Writes that are waited for as long as in production. */
export function asLong(config: AppConfig): AppConfig {
  return waitingFor(2_000, config);
}

export function startWriting(options: Parameters<typeof startService>[0] = {}): Promise<TestService> {
  return startService({ sandbox: SMALL, configure: impatient, ...options });
}

export function put(service: TestService, body: unknown, query = ''): Promise<Answer<WrittenJson>> {
  return service.call<WrittenJson>('PUT', `/v1/contacts${query}`, { body });
}

export function putCompany(
  service: TestService,
  body: unknown,
  query = '',
): Promise<Answer<WrittenJson<CompanyJson>>> {
  return service.call<WrittenJson<CompanyJson>>('PUT', `/v1/companies${query}`, { body });
}

export async function contact(service: TestService, id: string): Promise<WrittenContact> {
  return (await service.get<{ data: WrittenContact }>(`/v1/contacts/${id}`)).body.data;
}

export async function contactsWith(service: TestService, email: string): Promise<WrittenContact[]> {
  return (await service.get<{ data: WrittenContact[] }>(`/v1/contacts?email=${email}`)).body.data;
}

export async function conflicts(service: TestService): Promise<ConflictJson[]> {
  return (await service.get<{ data: ConflictJson[] }>('/v1/conflicts')).body.data;
}

export async function letters(service: TestService): Promise<LetterJson[]> {
  return (await service.get<{ data: LetterJson[] }>('/v1/dead-letters')).body.data;
}

export async function outbox(service: TestService): Promise<{ pending: number; dead: number }> {
  const { body } = await service.get<{ checks: { outbox: { pending: number; dead: number } } }>('/health');
  return body.checks.outbox;
}

/** Resolves when nothing waits to be written. */
export async function delivered(service: TestService): Promise<void> {
  await until(async () => (await outbox(service)).pending === 0);
}

/** Resolves when every webhook has come in and is settled, too. */
export async function quiet(service: TestService): Promise<void> {
  await delivered(service);
  await service.sandbox.sandbox.settled();
  await service.settled();
}

/** Makes Attio unreachable until the faults are cleared, with an open circuit. */
export async function outage(service: TestService): Promise<void> {
  service.sandbox.sandbox.addFault({ kind: 'disconnect' });
  await until(async () => {
    const probe = await service.get('/v1/records/people/00000000-0000-4000-8000-000000000009');
    const { body } = await service.get<{ checks: { attio: { circuit: string } } }>('/health');
    return probe.status === 503 && body.checks.attio.circuit === 'open';
  });
}

/** Attio is back, and all that waited is delivered. */
export async function recovered(service: TestService): Promise<void> {
  service.sandbox.sandbox.clearFaults();
  await delivered(service);
}

/** A record as Attio has it: the telling member of each value, by slug. */
export function attio(
  service: TestService,
  recordId: string,
  object = 'people',
): Readonly<Record<string, readonly unknown[]>> {
  const record = service.sandbox.sandbox.act({
    method: 'GET',
    path: `/objects/${object}/records/${recordId}`,
  }) as { values: Record<string, Record<string, unknown>[]> };
  return Object.fromEntries(Object.entries(record.values).map(([slug, list]) => [slug, list.map(telling)]));
}

function telling(value: Record<string, unknown>): unknown {
  if ('first_name' in value) return [value['first_name'], value['last_name']];
  const option = value['option'] as { title: string } | undefined;
  if (option !== undefined) return option.title;
  const names = ['email_address', 'phone_number', 'domain', 'currency_value', 'target_record_id'];
  const name = [...names, 'referenced_actor_id', 'locality', 'value'].find((each) => each in value);
  return name === undefined ? value : value[name];
}

export function exists(service: TestService, recordId: string, object = 'people'): boolean {
  return service.sandbox.sandbox.world.object(object).table.get(recordId) !== undefined;
}

/** How many records Attio has. */
export function size(service: TestService, object = 'people'): number {
  return service.sandbox.sandbox.world.object(object).table.size;
}

/** A person is made in Attio by somebody. @returns the record id */
export function person(service: TestService, values: Readonly<Record<string, unknown>>): string {
  return created(service, 'people', values);
}

export function created(
  service: TestService,
  object: string,
  values: Readonly<Record<string, unknown>>,
): string {
  const record = service.sandbox.sandbox.createRecord({ object, values });
  return (record['id'] as { record_id: string }).record_id;
}

/** What was asked of Attio that changes records, the oldest first. */
export function writes(service: TestService): LoggedRequest[] {
  return service.sandbox.sandbox.requests().requests.filter(({ method, path }) => {
    return method !== 'GET' && /\/objects\/[^/]+\/records/.test(path) && !path.endsWith('/query');
  });
}

/** What they were: `METHOD object`. */
export function kindsOf(requests: readonly LoggedRequest[]): string[] {
  return requests.map(({ method, path }) => `${method} ${/\/objects\/([^/]+)/.exec(path)?.[1]}`);
}

/** All that is stored, as one text, for looking whether something is in it. */
export async function everythingStored(service: TestService): Promise<string> {
  const database = openDatabase(service.env['DATABASE_URL'] ?? '');
  try {
    const tables = await database.introspection.getTables();
    const rows = await Promise.all(
      tables.map(({ name }) =>
        database
          .selectFrom(name as 'outbox') // each table in turn, by its name
          .selectAll()
          .execute(),
      ),
    );
    return JSON.stringify(rows).toLowerCase();
  } finally {
    await database.destroy();
  }
}

export function removeContact(service: TestService, id: string, query = '') {
  return service.call<WrittenJson>('DELETE', `/v1/contacts/${id}${query}`);
}

export async function contactStatus(service: TestService, id: string): Promise<number> {
  return (await service.get(`/v1/contacts/${id}`)).status;
}
