import { describe, expect, test } from 'vitest';
import { LogicalClock, nanoIso } from '../../mocks/core/clock.ts';
import { inProcessFetch } from '../../mocks/in-process-fetch.ts';
import { RateLimiter, retryAfterDate } from '../../mocks/limits.ts';
import { createSandbox, type Sandbox } from '../../mocks/sandbox.ts';
import { VirtualTime } from '../../mocks/virtual-time.ts';

const START = Date.UTC(2026, 5, 1, 12, 0, 0, 250);

describe('the logical clock', () => {
  test('never stands still and never falls behind', () => {
    let now = START;
    const clock = new LogicalClock(() => now);
    const instants = Array.from({ length: 1500 }, () => clock.next());
    now += 1;
    instants.push(clock.next());
    now += 5000;
    instants.push(clock.next());
    expect(instants[0]).toBe('2026-06-01T12:00:00.250000000Z');
    expect(instants.at(-1)).toBe(nanoIso(now));
    expect(instants).toEqual([...new Set(instants)].sort());
  });

  test('a wall clock that steps back does not take it along', () => {
    let now = START;
    const clock = new LogicalClock(() => now);
    const before = clock.next();
    now -= 60_000;
    expect(clock.next() > before).toBe(true);
  });
});

describe('limits', () => {
  test('no second, wherever it starts, holds more than the limit', () => {
    const limiter = new RateLimiter({ readsPerSecond: 3, writesPerSecond: 1 });
    const at = (ms: number) => limiter.admit('read', START + ms) === null;
    expect([at(0), at(400), at(800), at(900), at(999)]).toEqual([true, true, true, false, false]);
    expect([at(1000), at(1001), at(1400)]).toEqual([true, false, true]);
    expect(limiter.admit('write', START)).toBeNull();
    expect(limiter.admit('write', START + 1)).toBe('Mon, 01 Jun 2026 12:00:02 GMT');
  });

  test('Retry-After is the first full second at which there is room', () => {
    expect(retryAfterDate(Date.UTC(2026, 0, 1, 0, 0, 1))).toBe('Thu, 01 Jan 2026 00:00:01 GMT');
    expect(retryAfterDate(Date.UTC(2026, 0, 1, 0, 0, 1, 1))).toBe('Thu, 01 Jan 2026 00:00:02 GMT');
  });
});

function inVirtualTime(answers: (number | Error)[]) {
  const time = new VirtualTime(START);
  const sent: { at: number; body: string; key: string | null }[] = [];
  const sandbox = createSandbox({
    people: 0,
    companies: 0,
    deals: 0,
    now: time.now,
    timers: time,
    deliverTo: 'http://receiver.example/hook',
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const key = request.headers.get('idempotency-key');
      sent.push({ at: time.now() - START, body: await request.text(), key });
      const answer = answers.shift() ?? 202;
      if (answer instanceof Error) throw answer;
      return new Response(null, { status: answer });
    },
  });
  const ask = inProcessFetch(sandbox);
  const post = (path: string, body: unknown) =>
    ask(`http://sandbox.example/v2${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization: 'Bearer t', 'content-type': 'application/json' },
    });
  return { time, sent, sandbox, post };
}

async function subscribed(answers: (number | Error)[]) {
  const all = inVirtualTime(answers);
  const subscriptions = [{ event_type: 'record.created', filter: null }];
  await all.post('/webhooks', { data: { target_url: 'https://receiver.example/hook', subscriptions } });
  return all;
}

const make = (sandbox: Sandbox, count: number) =>
  Array.from({ length: count }, () => sandbox.createRecord({ object: 'people', values: {} })['id']);

describe('in virtual time', () => {
  test('retries wait 1, 2, 4 ... seconds, ten times, then the webhook is degraded', async () => {
    const { time, sent, sandbox } = await subscribed(Array.from({ length: 11 }, () => new Error('refused')));
    make(sandbox, 1);
    await time.advance(2_000_000);
    const gaps = sent.slice(1).map((one, index) => (one.at - (sent[index]?.at ?? 0)) / 1000);
    expect(gaps).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
    expect(new Set(sent.map((one) => one.key)).size).toBe(1);
    expect(sandbox.deliveries()).toMatchObject([{ state: 'failed', attempts: 11, lastError: 'refused' }]);
    expect(sandbox.summary()['webhooks']).toMatchObject([{ status: 'degraded' }]);
  });

  test('25 deliveries a second leave for one target, in order', async () => {
    const { time, sent, sandbox } = await subscribed([]);
    const made = make(sandbox, 60);
    await time.advance(999);
    expect(sent).toHaveLength(25);
    await time.advance(1);
    expect(sent).toHaveLength(50);
    await time.advance(1000);
    expect(sent.map((one) => JSON.parse(one.body).events[0].id)).toEqual(made);
  });

  test('requests over the limit are refused, not carried out, and pass at Retry-After', async () => {
    const { time, sandbox, post } = inVirtualTime([]);
    const create = () => post('/objects/people/records', { data: { values: {} } });
    const statuses = [];
    for (let index = 0; index < 26; index += 1) statuses.push((await create()).status);
    expect(statuses).toEqual([...Array(25).fill(200), 429]);
    expect(sandbox.summary()['objects']).toMatchObject({ people: 25 });
    const refused = await create();
    expect(await refused.json()).toEqual({
      status_code: 429,
      type: 'rate_limit_error',
      code: 'rate_limit_exceeded',
      message: 'Rate limit exceeded, please try again later',
    });
    expect(refused.headers.get('retry-after')).toBe('Mon, 01 Jun 2026 12:00:02 GMT');
    expect((await post('/objects/people/records/query', {})).status).toBe(200);
    await time.advance(Date.parse(refused.headers.get('retry-after') ?? '') - time.now());
    expect((await create()).status).toBe(200);
  });

  test('latency and the timeout of a delivery pass through the timers', async () => {
    const { time, sandbox, post } = inVirtualTime([]);
    sandbox.addFault({ kind: 'latency', ms: 30_000, count: 1 });
    let status = 0;
    const slow = post('/objects/people/records/query', {}).then((answer) => {
      status = answer.status;
    });
    await time.advance(29_999);
    expect(status).toBe(0);
    await time.advance(1);
    await slow;
    expect(status).toBe(200);
  });

  test('a workspace seeded before a clock near zero still lies before it', () => {
    const sandbox = createSandbox({ people: 3, now: () => 1_000_000 });
    const made = sandbox.createRecord({ object: 'people', values: {} });
    expect(made['created_at']).toBe(nanoIso(1_000_000));
  });
});
