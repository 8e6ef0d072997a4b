import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { ServiceProcess, WITH_SHORT_LEASE } from '../support/process.ts';
import { prepareService, type TestService, until } from '../support/service.ts';

/** How often the service is killed; more by hand: `CRASHES=20 npx vitest run tests/integration/crash-writes.test.ts`. */
const CRASHES = Number(process.env['CRASHES'] ?? 3);
const CONTACTS = 40;
const LANES = 6;

interface Sent {
  readonly title: string;
  readonly answered: boolean;
}

test.each([
  ['', 0],
  [' while every tenth answer of Attio is lost', 0.1],
])(
  'kill -9 amid upserts loses none that was answered, and makes nobody twice%s',
  async (_, lost) => {
    await using service = await prepareService({
      sandbox: { people: 10, companies: 0, deals: 0, latencyMs: 20 },
    });
    const { sandbox } = service.sandbox;
    service.url = `http://127.0.0.1:${service.env['PORT']}`;
    const addLoss = () => lost > 0 && sandbox.addFault({ kind: 'lost-answer', probability: lost });
    addLoss();
    const history = new Map<string, Sent[]>();
    for (let crash = 1; crash <= CRASHES; crash += 1) {
      const child = new ServiceProcess(service.env, WITH_SHORT_LEASE);
      await child.ready(service.url);
      let down = false;
      const sending = Array.from({ length: LANES }, async (_lane, lane) => {
        // One lane per contact at a time: the order of what is sent is then the order of the answers.
        for (let turn = lane; !down; turn += LANES) {
          const email = `crash-${turn % CONTACTS}@example.com`;
          const title = `Edit ${crash}.${turn}`;
          const body = { email, firstName: 'Kim', jobTitle: title, phone: '+15550100200' };
          const answer = await service.call('PUT', '/v1/contacts', { body }).catch(() => null);
          const answered = answer?.status === 200 || answer?.status === 202;
          // What waits is written at Attio's pace: a flood of it would only make the end late.
          if (answer?.status !== 200) await new Promise((resolve) => setTimeout(resolve, 250));
          history.set(email, [...(history.get(email) ?? []), { title, answered }]);
        }
      });
      const delay = AbortSignal.timeout(randomInt(20, 2_500));
      await new Promise((resolve) => delay.addEventListener('abort', resolve));
      await child.kill();
      down = true;
      await Promise.all(sending);
    }
    await service.start();
    await until(async () => (await outbox(service)).pending === 0, 180_000);
    expect((await outbox(service)).dead).toBe(0);

    const people = peopleByEmail(service);
    expect(people.size).toBeGreaterThan(0);
    for (const [email, sent] of history) {
      const titles = sent.map(({ title }) => title);
      const last = sent.findLast(({ answered }) => answered);
      if (last === undefined) continue;
      const [person, ...twins] = people.get(email) ?? [];
      expect(twins).toEqual([]);
      // What was sent after the last answer may be there, or not: only going back is wrong.
      expect(titles.indexOf(person?.jobTitle ?? '')).toBeGreaterThanOrEqual(titles.indexOf(last.title));
      expect(person?.phones).toEqual(['+15550100200']);
    }
    // Each upsert costs one write at most, and each crash at most one more for each that was under way.
    const upserts = [...history.values()].flat().length;
    expect(writes(service)).toBeLessThanOrEqual(upserts + CRASHES * LANES);
  },
  300_000,
);

async function outbox(service: TestService): Promise<{ pending: number; dead: number }> {
  const { body } = await service.get<{ checks: { outbox: { pending: number; dead: number } } }>('/health');
  return body.checks.outbox;
}

function writes(service: TestService): number {
  const { counts } = service.sandbox.sandbox.requests();
  return Object.entries(counts)
    .filter(([route]) => /^(POST|PUT|PATCH) .*\/records(\/\{record_id\})?$/.test(route))
    .reduce((sum, [, count]) => sum + count, 0);
}

interface Person {
  readonly jobTitle: string;
  readonly phones: readonly string[];
}

function peopleByEmail(service: TestService): Map<string, Person[]> {
  const records = service.sandbox.sandbox.act({
    method: 'POST',
    path: '/objects/people/records/query',
    body: { limit: 500 },
  }) as { values: Record<string, Record<string, string>[]> }[];
  const rows = records.flatMap(({ values }) =>
    (values['email_addresses'] ?? []).map((email) => ({
      email: email['email_address'] ?? '',
      jobTitle: values['job_title']?.[0]?.['value'] ?? '',
      phones: (values['phone_numbers'] ?? []).map((phone) => phone['phone_number'] ?? ''),
    })),
  );
  return Map.groupBy(rows, (row) => row.email);
}
