/** Two services with a database each, in front of one workspace, each with a webhook of its own. */

import { canonicalJson, type Json } from '../../src/domain/json.ts';
import { SUBSCRIBED_EVENTS } from '../../src/domain/webhook-events.ts';
import { openDatabase } from '../../src/store/database.ts';
import { pick, type Random, seededRandom } from '../mocks/core/random.ts';
import { freshDatabase } from './engines.ts';
import { freePort, prepareService, TestService, until } from './service.ts';
import { put, quiet, type WrittenContact, type WrittenJson } from './writes.ts';

export interface TwoServicesOptions {
  /** Both use one token, so that not even the actor of an event tells whose write it is of. @default true */
  readonly sharesToken?: boolean;
  readonly seed?: number;
  /** Every answer of Attio is this late. @unit ms @default 0 */
  readonly latencyMs?: number;
}

/** Requests to Attio about records, by what they do. */
export interface Requests {
  readonly reads: number;
  readonly writes: number;
}

/** What differs between the two databases and Attio: who, where, and what each has. */
export type Difference = readonly [email: string, where: string, ...sides: string[]];

const HOSTS = ['first.example.com', 'second.example.com'] as const;

export class TwoServices {
  readonly first: TestService;
  readonly second: TestService;
  readonly #random: Random;
  /** Writes that were answered, by what their answer said. */
  readonly answers = new Map<string, number>();

  private constructor(first: TestService, second: TestService, random: Random) {
    this.first = first;
    this.second = second;
    this.#random = random;
  }

  static async start({
    sharesToken = true,
    seed = 1,
    latencyMs = 0,
  }: TwoServicesOptions = {}): Promise<TwoServices> {
    const ports = new Map<string, string>();
    const toService: typeof fetch = (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      return fetch(`http://127.0.0.1:${ports.get(url.host)}${url.pathname}`, init);
    };
    const first = await prepareService({
      sandbox: {
        people: 4,
        companies: 2,
        deals: 0,
        deliverTo: null,
        fetch: toService,
        latencyMs,
        logSize: 100_000,
      },
      subscribe: false,
    });
    const secrets = [];
    for (const host of HOSTS) secrets.push(await subscribe(first.sandbox.url, host));
    const [firstSecret = '', secondSecret = ''] = secrets;
    first.env['ATTIO_WEBHOOK_SECRET'] = firstSecret;
    const database = await freshDatabase();
    const second = new TestService({
      sandbox: first.sandbox,
      secret: secondSecret,
      database,
      overrides: {},
      configure: (config) => config,
      env: {
        ...first.env,
        PORT: String(await freePort()),
        DATABASE_URL: database.url,
        ATTIO_WEBHOOK_SECRET: secondSecret,
        ...(sharesToken ? {} : { ATTIO_API_KEY: 'the-token-of-the-second' }),
      },
    });
    for (const [index, service] of [first, second].entries()) {
      ports.set(HOSTS[index] ?? '', service.env['PORT'] ?? '');
      await service.start();
      await service.confirmed();
    }
    return new TwoServices(first, second, seededRandom(seed));
  }

  get both(): readonly TestService[] {
    return [this.first, this.second];
  }

  get #sandbox() {
    return this.first.sandbox.sandbox;
  }

  /**
   * Both write to the same people.
   * @param pace called before each write of a service with its number; writing ends when it says false
   * @param lanes writes of a service that are under way at once; each waits for its answer
   */
  async fight(
    emails: readonly [string, ...string[]],
    pace: (turn: number) => Promise<boolean>,
    lanes = 1,
  ): Promise<number> {
    const counts = await Promise.all(this.both.map((service) => this.#fill(service, emails, pace, lanes)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async #fill(
    service: TestService,
    emails: readonly [string, ...string[]],
    pace: (turn: number) => Promise<boolean>,
    lanes: number,
  ): Promise<number> {
    let [next, written] = [0, 0];
    const write = async () => {
      for (let turn = next++; await pace(turn); turn = next++) {
        // Both begin with the same ones, whom Attio does not have yet.
        const email = emails[turn] ?? pick(this.#random, emails);
        this.#note(await put(service, this.#edit(email, turn)));
        written += 1;
      }
    };
    await Promise.all(Array.from({ length: lanes }, write));
    return written;
  }

  #note({ status, body }: { readonly status: number; readonly body: WrittenJson }): void {
    const answer = `${status} ${body.sync?.status ?? body.detail ?? ''}`;
    this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
  }

  #edit(email: string, turn: number): Record<string, unknown> {
    const random = this.#random;
    const edits: readonly [Record<string, unknown>, ...Record<string, unknown>[]] = [
      { jobTitle: `Title ${turn}` },
      { jobTitle: `Title ${turn}`, lastName: `Name ${turn}` },
      { firstName: `Ada ${turn}`, attributes: { description: `Words ${turn}` } },
      { attributes: { lead_source: pick(random, ['Website', 'Event', null]), description: null } },
      { attributes: { interests: { replace: [pick(random, ['Analytics', 'Reporting'])] } } },
      { attributes: { interests: [pick(random, ['Automation', 'Integrations'])] } },
      { phone: `+1555010000${Math.floor(random() * 4)}` },
      { company: { domain: pick(random, ['one.example', 'two.example']) } },
    ];
    return { email, ...pick(random, edits) };
  }

  /** Resolves when nothing waits on either side. */
  async quiet(): Promise<void> {
    for (let calm = 0; calm < 2; calm += 1) for (const service of this.both) await quiet(service);
  }

  /** About records, since the log was last cleared. */
  requests(): Requests {
    const requests = this.recordRequests();
    const reads = requests.filter(({ isRead }) => isRead).length;
    return { reads, writes: requests.length - reads };
  }

  recordRequests(): { readonly isRead: boolean; readonly at: number }[] {
    return this.#sandbox
      .requests()
      .requests.filter(({ path }) => /\/objects\/[^/]+\/records/.test(path))
      .map(({ method, path, at }) => ({
        isRead: method === 'GET' || path.endsWith('/query'),
        at: Date.parse(at),
      }));
  }

  clearRequests(): void {
    this.#sandbox.clearRequests();
  }

  /** A person changes somebody in Attio, and both services come to know. */
  async edit(recordId: string, jobTitle: string): Promise<void> {
    this.#sandbox.edit({ object: 'people', recordId, values: { job_title: jobTitle } });
    for (const service of this.both) {
      await until(async () => {
        const { body } = await service.get<{ data: WrittenContact }>(`/v1/contacts/${recordId}`);
        return body.data.jobTitle === jobTitle;
      });
    }
    await this.quiet();
  }

  /** Holds Attio, both mirrors and the contacts of both against each other, field by field. */
  async differences(emails: readonly string[]): Promise<Difference[]> {
    const found: Difference[] = [];
    const mirrors = await Promise.all(this.both.map((service) => mirrored(service)));
    for (const email of emails) {
      const contacts = await Promise.all(
        this.both.map(async (service) => {
          const { body } = await service.get<{ data: WrittenContact[] }>(`/v1/contacts?email=${email}`);
          return body.data;
        }),
      );
      const [own] = contacts.flat();
      const held = contacts.map((list) => JSON.stringify(list.map(fieldsOf)));
      const counts = contacts.map(({ length }) => String(length));
      if (counts.some((count) => count !== '1')) found.push([email, 'contacts', ...counts]);
      if (new Set(held).size > 1) found.push([email, 'fields', ...held]);
      const recordId = own?.recordId ?? '';
      const sides = [this.#inAttio(recordId), ...mirrors.map((mirror) => mirror.get(recordId) ?? {})];
      for (const slug of new Set(sides.flatMap((side) => Object.keys(side)))) {
        const values = sides.map((side) => canonicalJson(side[slug] ?? null));
        if (new Set(values).size > 1) found.push([email, slug, ...values]);
      }
    }
    return found;
  }

  #inAttio(recordId: string): Values {
    const path = `/objects/people/records/${recordId}`;
    return (this.#sandbox.act({ method: 'GET', path }) as { values: Values }).values;
  }

  /** People in Attio with an address, each once. */
  recordsWith(email: string): number {
    const body = { filter: { email_addresses: email } };
    const path = '/objects/people/records/query';
    return (this.#sandbox.act({ method: 'POST', path, body }) as unknown[]).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.second.stop();
    await this.first[Symbol.asyncDispose]();
    await this.second.database[Symbol.asyncDispose]();
  }
}

type Values = Readonly<Record<string, Json>>;

async function mirrored(service: TestService): Promise<Map<string, Values>> {
  const database = openDatabase(service.env['DATABASE_URL'] ?? '');
  try {
    const rows = await database
      .selectFrom('record')
      .select(['record_id', 'values_json'])
      .where('object', '=', 'people')
      .where('deleted_at', 'is', null)
      .execute();
    return new Map(rows.map((row) => [row.record_id, JSON.parse(row.values_json) as Values])); // as it was stored
  } finally {
    await database.destroy();
  }
}

/** What a contact says of the person: ids of ours, versions and times are each service's own. */
function fieldsOf(contact: WrittenContact): Record<string, unknown> {
  const { email, emails, firstName, lastName, phone, jobTitle } = contact;
  const { companyRecordId, recordId, attributes, sync } = contact;
  return { email, emails, firstName, lastName, phone, jobTitle, companyRecordId, recordId, attributes, sync };
}

async function subscribe(sandboxUrl: string, host: string): Promise<string> {
  const response = await fetch(`${sandboxUrl}/v2/webhooks`, {
    method: 'POST',
    headers: { authorization: 'Bearer somebody', 'content-type': 'application/json' },
    body: JSON.stringify({
      data: {
        target_url: `https://${host}/webhooks`,
        subscriptions: SUBSCRIBED_EVENTS.map((event_type) => ({ event_type, filter: null })),
      },
    }),
  });
  return ((await response.json()) as { data: { secret: string } }).data.secret;
}
