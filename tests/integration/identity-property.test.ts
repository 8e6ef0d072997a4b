import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FastService, type Letter } from '../support/fast-service.ts';

/** What can happen to people, in Attio and by us, and to what Attio tells of it. Numbers choose among what there is. */
type NumberStep = 'create' | 'delete' | 'put' | 'restore' | 'deliver' | 'again' | 'drop' | 'away' | 'slow';
type Step =
  | { readonly do: NumberStep; readonly n: number }
  | { readonly do: 'merge' | 'move'; readonly n: number; readonly m: number; readonly keepsId: boolean }
  | { readonly do: 'quiet' | 'sync' };

const number = fc.nat({ max: 999 });
const STEPS: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('create', 'put', 'delete', 'restore'), n: number }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('deliver', 'again', 'drop'), n: number }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('merge', 'move'),
      n: number,
      m: number,
      keepsId: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('away', 'slow'), n: number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('quiet', 'quiet', 'quiet', 'sync') }) },
);

const WRITES = [
  { method: 'POST', path: '*/people/records' },
  { method: 'PATCH', path: '/people/records/' },
];

const ADDRESSES = Array.from({ length: 6 }, (_, index) => `p${index}@property.example`);

interface ContactJson {
  readonly id: string;
  readonly recordId: string | null;
  readonly emails: readonly string[];
  readonly mergedFrom?: readonly string[];
}

/** Plays a story, and remembers what must be so at its end. */
class Story {
  readonly #service: FastService;
  /** Ids that a caller has been given: each must answer for ever. */
  readonly ids = new Set<string>();
  readonly mergedInto = new Map<string, string>();
  /** Records of whose merge nothing was told. */
  readonly untold = new Set<string>();
  writes = 0;

  constructor(service: FastService) {
    this.#service = service;
  }

  get people(): string[] {
    return [...this.#service.sandbox.world.object('people').table.inOrder()].map((row) => row.id);
  }

  emailsOf(recordId: string): string[] {
    const record = this.#service.sandbox.act({ method: 'GET', path: `/objects/people/records/${recordId}` });
    const { values } = record as { values: { email_addresses: { email_address: string }[] } };
    return values.email_addresses.map((value) => value.email_address);
  }

  async play(step: Step): Promise<void> {
    if (step.do === 'merge') this.#merge(step.n, step.m, step.keepsId);
    else if (step.do === 'move') this.#move(step.n, step.m);
    else if (step.do === 'quiet') await this.quiet();
    else if (step.do === 'sync') await this.sync();
    else if ('n' in step) await this.#steps[step.do](step.n);
    await this.#note();
  }

  readonly #steps: Readonly<Record<NumberStep, (n: number) => unknown>> = {
    // Attio takes no changes until all is quiet; or one answer of its is late.
    away: () => {
      for (const match of WRITES) this.#service.sandbox.addFault({ kind: 'status', status: 503, match });
    },
    slow: (n) => this.#service.sandbox.addFault({ kind: 'latency', ms: 5 + (n % 60), count: 1 }),
    create: (n) => this.#create(n),
    delete: (n) => this.#delete(n),
    put: (n) => this.#put(n),
    restore: (n) => this.#restore(n),
    deliver: async (n) => this.#deliver(await this.#take(n)),
    again: async (n) => {
      const letter = await this.#take(n);
      if (letter !== undefined) this.#service.mail.push(letter);
      await this.#deliver(letter);
    },
    drop: async (n) => {
      const dropped = await this.#take(n);
      const { events } = JSON.parse(dropped?.body ?? '{"events":[]}') as {
        events: { duplicate_record_id?: string }[];
      };
      for (const event of events) this.untold.add(event.duplicate_record_id ?? '');
    },
  };

  #create(n: number): void {
    const taken = new Set(this.people.flatMap((id) => this.emailsOf(id)));
    const emails = ADDRESSES.filter((address) => !taken.has(address)).slice(0, 1 + (n % 2));
    if (emails.length === 0) return;
    this.#service.sandbox.createRecord({ object: 'people', values: { email_addresses: emails } });
  }

  #delete(n: number): void {
    if (this.people.length === 0) return;
    this.#service.sandbox.deleteRecord({ object: 'people', recordId: pick(this.people, n) });
  }

  async #put(n: number): Promise<void> {
    this.writes += 1;
    const body = { email: pick(ADDRESSES, n), jobTitle: `Job ${this.writes}` };
    const answer = await this.#service.call<{ data: ContactJson }>('PUT', '/v1/contacts?wait=false', body);
    expect([200, 202]).toContain(answer.status);
    this.ids.add(answer.body.data.id);
  }

  async #restore(n: number): Promise<void> {
    if (this.ids.size === 0) return;
    const path = `/v1/contacts/${pick([...this.ids], n)}/restore?wait=false`;
    expect([200, 202, 409, 410]).toContain((await this.#service.call('POST', path)).status);
  }

  async #take(n: number): Promise<Letter | undefined> {
    await this.#service.sandbox.settled();
    const { mail } = this.#service;
    return mail.splice(n % Math.max(1, mail.length), 1)[0];
  }

  async #deliver(letter: Letter | undefined): Promise<void> {
    if (letter !== undefined) await this.#service.deliver(letter);
  }

  /** Attio is there again, and what waited is done. */
  async quiet(): Promise<void> {
    this.#service.sandbox.clearFaults();
    await this.#service.quiet();
  }

  async sync(): Promise<void> {
    const { body } = await this.#service.call<{ data: { status: string } }>(
      'POST',
      '/v1/sync/people?wait=true&force=true',
    );
    expect(body.data.status).toBe('succeeded');
  }

  async contacts(): Promise<ContactJson[]> {
    return (await this.#service.call<{ data: ContactJson[] }>('GET', '/v1/contacts?limit=1000')).body.data;
  }

  /** What lives of a record that was merged away. */
  survivorOf(recordId: string): string {
    const into = this.mergedInto.get(recordId);
    return into === undefined ? recordId : this.survivorOf(into);
  }

  async #note(): Promise<void> {
    for (const { id, recordId } of await this.contacts()) {
      this.ids.add(id);
      if (recordId !== null) this.ids.add(recordId);
    }
  }

  #merge(n: number, m: number, keepsId: boolean): void {
    const [one, other] = [pick(this.people, n), pick(this.people, m)];
    if (one === other) return;
    const merged = this.#service.sandbox.merge({
      object: 'people',
      primaryRecordId: one,
      secondaryRecordId: other,
      survivor: keepsId ? 'primary' : 'new',
    });
    const { record_id: survivor } = merged['id'] as { record_id: string };
    for (const dead of [one, other]) if (dead !== survivor) this.mergedInto.set(dead, survivor);
  }

  #move(n: number, m: number): void {
    const { sandbox } = this.#service;
    const [from, to] = [pick(this.people, n), pick(this.people, m)];
    if (from === to) return;
    const [moved, ...rest] = this.emailsOf(from);
    if (moved === undefined) return;
    sandbox.edit({ object: 'people', recordId: from, values: { email_addresses: rest } });
    sandbox.edit({
      object: 'people',
      recordId: to,
      values: { email_addresses: [...this.emailsOf(to), moved] },
    });
  }
}

function pick<T>(all: readonly T[], n: number): T {
  return all[n % Math.max(1, all.length)] as T; // callers know that there are some, or compare what they get
}

/** Two who were made by us, two who were made in Attio, all known on both sides. */
const BEGINNING: readonly Step[] = [
  { do: 'put', n: 0 },
  { do: 'put', n: 1 },
  { do: 'quiet' },
  { do: 'create', n: 1 },
  { do: 'create', n: 0 },
  { do: 'sync' },
];

async function tell(steps: readonly Step[], order: number, isPatient: boolean): Promise<void> {
  await using service = await FastService.start(isPatient);
  const story = new Story(service);
  for (const step of [...BEGINNING, ...steps]) await story.play(step);
  await story.quiet();
  // The rest of the mail comes in some order; then all is quiet, and one full sync finds what was never told.
  await service.sandbox.settled();
  const rest = service.mail.splice(0).toSorted((a, b) => score(a.body, order) - score(b.body, order));
  for (const letter of rest) await service.deliver(letter);
  await service.quiet();
  await story.sync();
  await service.quiet();

  const contacts = await story.contacts();
  expect(contacts.map(({ recordId }) => recordId).toSorted()).toEqual(story.people.toSorted());
  for (const { recordId, emails } of contacts) {
    expect(emails.toSorted()).toEqual(story.emailsOf(recordId ?? '').toSorted());
  }
  for (const id of story.ids) {
    const { status, body } = await service.call<{ data: ContactJson }>('GET', `/v1/contacts/${id}`);
    expect([200, 410]).toContain(status);
    const survivor = story.survivorOf(id);
    const isTold = survivor !== id && story.people.includes(survivor) && !story.untold.has(id);
    if (isTold) expect([id, body.data?.recordId]).toEqual([id, survivor]);
  }
  const { requests } = service.sandbox.requests();
  expect(requests.filter(({ method, path }) => method === 'DELETE' && path.includes('/records/'))).toEqual(
    [],
  );
  expect(requests.length).toBeLessThan(60 + 25 * steps.length);
}

/** An order that is the same for the same number. */
function score(text: string, order: number): number {
  let hash = order + 1;
  for (const char of text) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_003;
  return hash;
}

test('whatever is merged, moved and deleted, each person is one contact, and every id answers', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEPS, { minLength: 3, maxLength: 40 }), number, fc.boolean(), tell),
    {
      numRuns: 20,
      endOnFailure: true,
    },
  );
}, 300_000);
