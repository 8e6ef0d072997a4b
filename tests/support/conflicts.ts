/** What tests of conflicts do: a record that both sides change while Attio is away. */
import type { AppConfig } from '../../src/config.ts';
import type { ConflictPolicy, ObjectRules } from '../../src/domain/conflict-policies.ts';
import { type Answer, type TestService, until } from './service.ts';
import {
  type ConflictJson,
  impatient,
  outage,
  person,
  put,
  recovered,
  type SyncJson,
  startWriting,
} from './writes.ts';

export const EMAIL = 'ada@both.example';

export interface OneConflict extends ConflictJson {
  readonly id: string;
  readonly recordId: string | null;
  readonly reason: string;
  readonly at: string;
  readonly resolvedAt: string | null;
  readonly merged?: unknown;
}

export interface Rules {
  readonly policy?: ConflictPolicy;
  readonly toleranceMs?: number;
  readonly objects?: Readonly<Record<string, ObjectRules>>;
  /** Attio delivers its webhooks. @default false */
  readonly subscribe?: boolean;
  /** A write that is older counts as held back. @default 500 */
  readonly writeWaitMs?: number;
}

/** Callers wait for a shorter time, and a write counts as held back sooner. */
export function startWith({ subscribe = false, writeWaitMs = 500, ...rules }: Rules): Promise<TestService> {
  return startWriting({
    subscribe,
    configure(config): AppConfig {
      const { outbox, ...others } = impatient(config);
      return {
        ...others,
        outbox: { ...outbox, writeWaitMs },
        conflicts: { ...config.conflicts, ...rules },
      };
    },
  });
}

/** Ada, on whose values both sides agree. @returns the record id */
export async function agreedAda(service: TestService): Promise<string> {
  const recordId = person(service, {
    name: [{ first_name: 'Ada', last_name: 'Lovelace', full_name: 'Ada Lovelace' }],
    email_addresses: [EMAIL],
    phone_numbers: [{ original_phone_number: '+15550100001' }],
    job_title: 'Agreed',
    internal_comment: 'Agreed',
  });
  await service.sync('people');
  return recordId;
}

/** The same, with Attio away. */
export async function apart(service: TestService): Promise<string> {
  const recordId = await agreedAda(service);
  await outage(service);
  return recordId;
}

/** A person changes a record in Attio. */
export function edit(
  service: TestService,
  recordId: string,
  values: Record<string, unknown>,
  object = 'people',
): void {
  service.sandbox.sandbox.edit({ object, recordId, values });
}

/** Resolves when a write that waits counts as held back. */
export async function heldBack(service: TestService): Promise<void> {
  await until(async () => {
    const { body } = await service.get<{ checks: { outbox: { oldestAgeSeconds: number } } }>('/health');
    return body.checks.outbox.oldestAgeSeconds >= 1;
  });
}

export async function listed(service: TestService, query = ''): Promise<OneConflict[]> {
  return (await service.get<{ data: OneConflict[] }>(`/v1/conflicts${query}`)).body.data;
}

export async function onlyOpen(service: TestService): Promise<OneConflict> {
  const [one, ...others] = await listed(service, '?status=open');
  if (one === undefined || others.length > 0)
    throw new Error(`${others.length} open conflicts too many, or none`);
  return one;
}

export interface ResolvedJson {
  readonly data: OneConflict;
  readonly sync: SyncJson & { readonly conflicts?: number };
  readonly status?: number;
  readonly detail?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

export function resolve(
  service: TestService,
  id: string,
  body: unknown,
  options: { query?: string; headers?: Record<string, string> } = {},
): Promise<Answer<ResolvedJson>> {
  const { query = '', ...rest } = options;
  return service.call<ResolvedJson>('POST', `/v1/conflicts/${id}/resolve${query}`, { body, ...rest });
}

/** The value of a metric without labels, or with these. */
export async function metric(service: TestService, name: string): Promise<number> {
  const text = (await service.get<string>('/metrics')).body;
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length));
}

export const MANUAL = { policy: 'manual' } as const;

/** Both sides have changed the job title, and Attio is back. @returns the record id and ours */
export async function inConflict(service: TestService): Promise<{ recordId: string; id: string }> {
  const recordId = await apart(service);
  const attributes = { internal_comment: 'Ours' };
  const { body } = await put(service, { email: EMAIL, jobTitle: 'Ours', attributes });
  edit(service, recordId, { job_title: 'Theirs' });
  await recovered(service);
  return { recordId, id: body.data.id };
}
