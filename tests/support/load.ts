import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { type Answer, type Change, type ContactJson, type Run, type TestService, until } from './service.ts';

interface Feed {
  readonly data: readonly Change[];
  readonly nextCursor: string;
}

/**
 * Everything that the service does, at once, for as long as a disturbance of its database goes on: deliveries of
 * edits, writes, full syncs, reads, and a follower of the change feed. Each answer must be a good one, or "not now".
 */
export class Load {
  readonly #service: TestService;
  /** Titles given to each record, in order, and the last one whose delivery was answered 202. */
  readonly #edits = new Map<string, string[]>();
  readonly #answered = new Map<string, string>();
  /** The same for what internal systems write, by e-mail address. */
  readonly #writes = new Map<string, string[]>();
  readonly #accepted = new Map<string, string>();
  readonly #runIds = new Set<string>();
  readonly #followed: string[] = [];
  readonly #wrong: string[] = [];
  #cursor: string;
  #over = false;
  good = 0;
  refused = 0;

  private constructor(service: TestService, cursor: string) {
    this.#service = service;
    this.#cursor = cursor;
  }

  /** Runs the load, and the disturbance in the middle of it; then waits until all is settled, and looks at everything. */
  static async during(service: TestService, disturb: (load: Load) => Promise<void>): Promise<Load> {
    const load = new Load(service, await service.latest());
    const ids = [...service.sandbox.sandbox.world.object('people').table.inOrder()].map((row) => row.id);
    const lanes = [
      ...[0, 1, 2, 3].map((lane) => load.#repeat((turn) => load.#editAndDeliver(ids, turn * 4 + lane))),
      load.#repeat((turn) => load.#write(turn)),
      load.#repeat(() => load.#sync('people')),
      load.#repeat(() => load.#sync('all')),
      load.#repeat((turn) => load.#read(ids[turn % ids.length] ?? '')),
      load.#repeat(() => load.#follow()),
    ];
    await disturb(load);
    const before = load.good;
    await until(async () => load.good > before + 20);
    load.#over = true;
    await Promise.all(lanes);
    await load.#check();
    return load;
  }

  async #repeat(step: (turn: number) => Promise<void>): Promise<void> {
    for (let turn = 0; !this.#over; turn += 1) {
      await step(turn).catch((error: unknown) => this.#wrong.push(String(error)));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** @returns whether it is a good answer */
  #note(what: string, answer: Answer, good: readonly number[]): boolean {
    if (good.includes(answer.status)) {
      this.good += 1;
      return true;
    }
    this.refused += 1;
    const notNow = answer.status === 503 && Number(answer.headers.get('retry-after')) > 0;
    if (!notNow) this.#wrong.push(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return false;
  }

  async #editAndDeliver(ids: readonly string[], turn: number): Promise<void> {
    const recordId = ids[turn % ids.length] ?? '';
    const title = `Edit ${turn}`;
    this.#service.sandbox.sandbox.edit({ object: 'people', recordId, values: { job_title: title } });
    this.#edits.set(recordId, [...(this.#edits.get(recordId) ?? []), title]);
    const answer = await this.#service.deliver(this.#service.event('record.updated', 'people', recordId));
    if (this.#note('a delivery', answer, [202])) this.#answered.set(recordId, title);
  }

  async #write(turn: number): Promise<void> {
    const email = `load-${turn % 20}@example.com`;
    const jobTitle = `Write ${turn}`;
    this.#writes.set(email, [...(this.#writes.get(email) ?? []), jobTitle]);
    const answer = await this.#service.call('PUT', '/v1/contacts', { body: { email, jobTitle } });
    if (this.#note('a write', answer, [200, 202])) this.#accepted.set(email, jobTitle);
  }

  /** With a key, and again until it is accepted. */
  async #sync(object: string): Promise<void> {
    const headers = { 'idempotency-key': randomUUID() };
    let answer = await this.#start(object, headers);
    while (answer.status === 503 && !this.#over) {
      this.#note('a sync', answer, [202]);
      await new Promise((resolve) => setTimeout(resolve, 50));
      answer = await this.#start(object, headers);
    }
    if (this.#note('a sync', answer, [202])) this.#runIds.add(answer.body.data.runId);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }

  #start(object: string, headers: Record<string, string>) {
    return this.#service.call<{ data: { runId: string } }>('POST', `/v1/sync/${object}`, { headers });
  }

  async #read(id: string): Promise<void> {
    for (const path of [`/v1/contacts/${id}`, '/v1/contacts?limit=50', '/health', '/v1/sync/runs']) {
      this.#note(path, await this.#service.get(path), [200]);
    }
    expect((await this.#service.get('/metrics')).status).toBe(200);
    expect((await this.#service.get('/health/live')).status).toBe(200);
  }

  async #follow(): Promise<void> {
    const answer = await this.#service.get<Feed>(`/v1/changes?after=${this.#cursor}&wait=1`);
    if (!this.#note('the feed', answer, [200])) return;
    this.#followed.push(...answer.body.data.map((change) => change.cursor));
    this.#cursor = answer.body.nextCursor;
  }

  async #check(): Promise<void> {
    const service = this.#service;
    expect(this.#wrong).toEqual([]);
    await until(async () => (await service.get<{ status: string }>('/health')).body.status === 'ok', 60_000);
    await until(async () => (await service.pending()) === 0, 60_000);
    await until(async () => (await this.#unsent()) === 0, 60_000);
    await this.#checkEdits();
    await this.#checkWrites();
    for (const runId of this.#runIds) {
      const run = async () => (await service.get<{ data: Run }>(`/v1/sync/runs/${runId}`)).body.data;
      await until(async () => (await run()).status !== 'running', 60_000);
      expect(await run()).toMatchObject({ status: 'succeeded' });
    }
    expect((await service.get<{ data: unknown[] }>('/v1/dead-letters')).body.data).toEqual([]);
    await this.#checkFeed();
  }

  /** What was answered 202 has had its effect. */
  async #checkEdits(): Promise<void> {
    expect(this.#answered.size).toBeGreaterThan(0);
    for (const [recordId, title] of this.#answered) {
      const { body } = await this.#service.get<{ data: ContactJson }>(`/v1/contacts/${recordId}`);
      const history = this.#edits.get(recordId) ?? [];
      expect(history.indexOf(body.data.jobTitle ?? '')).toBeGreaterThanOrEqual(history.indexOf(title));
    }
  }

  async #unsent(): Promise<number> {
    const { body } = await this.#service.get<{ checks: { outbox: { pending: number } } }>('/health');
    return body.checks.outbox.pending;
  }

  /** What was accepted is here, and in Attio. */
  async #checkWrites(): Promise<void> {
    expect(this.#accepted.size).toBeGreaterThan(0);
    for (const [email, jobTitle] of this.#accepted) {
      const { body } = await this.#service.get<{ data: [ContactJson] }>(`/v1/contacts?email=${email}`);
      const [contact] = body.data;
      const record = this.#service.sandbox.sandbox.act({
        method: 'GET',
        path: `/objects/people/records/${contact.recordId}`,
      }) as { values: { job_title: { value: string }[] } };
      const history = this.#writes.get(email) ?? [];
      expect(history.indexOf(contact.jobTitle ?? '')).toBeGreaterThanOrEqual(history.indexOf(jobTitle));
      expect(record.values.job_title[0]?.value).toBe(contact.jobTitle);
    }
  }

  /** Who followed the feed all along has seen what it holds, in its order. */
  async #checkFeed(): Promise<void> {
    for (let before = ''; before !== this.#cursor; ) {
      before = this.#cursor;
      await this.#follow();
    }
    const all: string[] = [];
    for (let page = await this.#page(''); page.data.length > 0; page = await this.#page(page.nextCursor)) {
      all.push(...page.data.map((change) => change.cursor));
    }
    expect(all.slice(-this.#followed.length)).toEqual(this.#followed);
  }

  async #page(after: string): Promise<Feed> {
    const from = after === '' ? '' : `&after=${after}`;
    return (await this.#service.get<Feed>(`/v1/changes?limit=1000${from}`)).body;
  }
}
