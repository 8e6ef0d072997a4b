import { z } from 'zod';

const sync = z.object({ status: z.enum(['synced', 'pending', 'failed']) });

const contact = z.object({
  id: z.string(),
  email: z.string().nullable(),
  emails: z.array(z.string()),
  firstName: z.string().nullable(),
  lastName: z.string().nullable(),
  phone: z.string().nullable(),
  jobTitle: z.string().nullable(),
  recordId: z.string().nullable(),
  sync,
  version: z.number(),
  mergedFrom: z.array(z.string()).optional(),
});
export type Contact = z.output<typeof contact>;

const company = z.object({
  id: z.string(),
  recordId: z.string().nullable(),
  name: z.string().nullable(),
  attributes: z.object({ tier: z.object({ title: z.string() }).nullable() }),
});

const change = z.object({
  cursor: z.string(),
  type: z.string(),
  object: z.string().default(''),
  id: z.string(),
  mergedId: z.string().optional(),
  source: z.enum(['attio', 'local']),
  changed: z.array(z.string()),
});
export type Change = z.output<typeof change>;

const counts = {
  object: z.string(),
  status: z.enum(['running', 'succeeded', 'failed', 'cancelled']),
  pages: z.number(),
  seen: z.number(),
  created: z.number(),
  updated: z.number(),
  unchanged: z.number(),
  deleted: z.number(),
  error: z.string().optional(),
};
const run = z.object({ ...counts, runs: z.array(z.object(counts)).default([]) });
export type Run = z.output<typeof run>;

const problem = z.object({
  detail: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).default([]),
  attio: z.object({ code: z.string(), message: z.string() }).nullable().default(null),
});

const batch = z.object({ total: z.number(), synced: z.number(), pending: z.number(), failed: z.number() });
export type Batch = z.output<typeof batch>;

const conflict = z.object({
  entityId: z.string(),
  field: z.string(),
  local: z.unknown(),
  attio: z.unknown(),
  decided: z.enum(['local', 'attio']),
});
export type Conflict = z.output<typeof conflict>;

const queue = z.object({ pending: z.number(), dead: z.number() });

const health = z.object({
  status: z.string(),
  checks: z.object({
    attio: z.object({ status: z.string(), circuit: z.string() }),
    inbox: queue,
    outbox: queue,
  }),
});
export type Health = z.output<typeof health>;

const record = z.object({ values: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))) });

const PAGE = 1000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** What came of a write, and how long the caller waited for it. */
export interface Written {
  readonly status: number;
  readonly contact: Contact;
  readonly tookMs: number;
}

/** The service's REST as an internal system calls it. */
export class ServiceApi {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  async call(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(this.url + path, { method, ...init });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
    };
  }

  send(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.call(method, path, {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  async health(): Promise<Health> {
    return health.parse((await this.call('GET', '/health')).body);
  }

  /** @returns the run's id */
  async startFullSync(): Promise<string> {
    const answer = z.object({ data: z.object({ runId: z.string() }) });
    return answer.parse((await this.call('POST', '/v1/sync/all')).body).data.runId;
  }

  /** One that is waited for. */
  async fullSync(): Promise<Run> {
    return z.object({ data: run }).parse((await this.call('POST', '/v1/sync/all?wait=true')).body).data;
  }

  async run(runId: string): Promise<Run> {
    return z.object({ data: run }).parse((await this.call('GET', `/v1/sync/runs/${runId}`)).body).data;
  }

  /** @returns null for any answer but 200 */
  async contact(id: string): Promise<Contact | null> {
    const { status, body } = await this.call('GET', `/v1/contacts/${id}`);
    return status === 200 ? z.object({ data: contact }).parse(body).data : null;
  }

  async contactsByEmail(email: string): Promise<Contact[]> {
    const { body } = await this.call('GET', `/v1/contacts?email=${encodeURIComponent(email)}`);
    return z.object({ data: z.array(contact) }).parse(body).data;
  }

  /** @throws when it is refused */
  async putContact(body: Readonly<Record<string, unknown>>): Promise<Written> {
    const startedAt = performance.now();
    const { status, body: answer } = await this.send('PUT', '/v1/contacts', body);
    const tookMs = performance.now() - startedAt;
    if (status >= 300) throw new Error(`PUT /v1/contacts is answered ${status}: ${JSON.stringify(answer)}`);
    return { status, contact: z.object({ data: contact }).parse(answer).data, tookMs };
  }

  /** A write that is to be refused. */
  async refusedContact(body: Readonly<Record<string, unknown>>) {
    const { status, body: answer } = await this.send('PUT', '/v1/contacts', body);
    return { status, ...problem.parse(answer) };
  }

  async batch(id: string): Promise<Batch> {
    return z.object({ data: batch }).parse((await this.call('GET', `/v1/batches/${id}`)).body).data;
  }

  conflicts(): Promise<Conflict[]> {
    return this.#all('/v1/conflicts', conflict);
  }

  allContacts(): Promise<Contact[]> {
    return this.#all('/v1/contacts', contact);
  }

  async company(id: string): Promise<z.output<typeof company> | null> {
    const { status, body } = await this.call('GET', `/v1/companies/${id}`);
    return status === 200 ? z.object({ data: company }).parse(body).data : null;
  }

  allCompanies(): Promise<z.output<typeof company>[]> {
    return this.#all('/v1/companies', company);
  }

  /** Attio's own record, through the cache. */
  async record(object: string, recordId: string) {
    const { headers, body } = await this.call('GET', `/v1/records/${object}/${recordId}`);
    const { values } = z.object({ data: record }).parse(body).data;
    return { values, cache: headers.get('x-cache') ?? 'none' };
  }

  /** @param after a cursor, `latest`, or null for the oldest kept */
  async changes(after: string | null, waitSeconds: number): Promise<{ rows: Change[]; next: string }> {
    const query = new URLSearchParams({ limit: String(PAGE), wait: String(waitSeconds) });
    if (after !== null) query.set('after', after);
    const answer = z.object({ data: z.array(change), nextCursor: z.string() });
    const { data, nextCursor } = answer.parse((await this.call('GET', `/v1/changes?${query}`)).body);
    return { rows: data, next: nextCursor };
  }

  async #all<T>(path: string, thing: z.ZodType<T>): Promise<T[]> {
    const page = z.object({ data: z.array(thing), nextCursor: z.string().nullable() });
    const all: T[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const next: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { data, nextCursor }: z.output<typeof page> = page.parse(
        (await this.call('GET', `${path}?limit=${PAGE}${next}`)).body,
      );
      all.push(...data);
      cursor = nextCursor;
    }
    return all;
  }
}
