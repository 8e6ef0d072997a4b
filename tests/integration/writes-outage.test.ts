import { afterEach, describe, expect, test } from 'vitest';
import type { FaultInput } from '../mocks/faults.ts';
import { takeViolations } from '../support/exchanges.ts';
import { until } from '../support/service.ts';
import {
  asLong,
  attio,
  contact,
  delivered,
  outbox,
  put,
  size,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  // The vendor's document declares neither 401 nor 403 nor 5xx.
  expect(takeViolations().filter((violation) => !/\b(401|403|5\d\d)\b/.test(violation))).toEqual([]);
});

interface HealthJson {
  readonly status: string;
  readonly checks: { readonly attio: { readonly status: string; readonly problem?: string } };
}

const EVERYTHING: [string, FaultInput][] = [
  ['answers 500', { kind: 'status', status: 500 }],
  ['answers broken JSON', { kind: 'malformed' }],
  ['carries out what it does not answer', { kind: 'lost-answer' }],
  ['never answers', { kind: 'hang' }],
];

describe.each(EVERYTHING)('while Attio %s', (_, fault) => {
  test('writes are taken, nothing is sent twice, and all are there once afterwards', async () => {
    await using service = await startWriting({ subscribe: false });
    const before = size(service);
    const known = (await put(service, { email: 'known@out.example', jobTitle: 'Before' })).body.data;
    service.sandbox.sandbox.addFault(fault);
    const emails = Array.from({ length: 20 }, (_, index) => `p${index}@out.example`);
    const answers = await Promise.all([
      ...emails.map((email) => put(service, { email, company: { domain: 'out.example' } })),
      put(service, { email: 'known@out.example', jobTitle: 'After' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 21 }, () => 202));
    expect(await outbox(service)).toMatchObject({ pending: 22, dead: 0 });
    service.sandbox.sandbox.clearFaults();
    await delivered(service);
    expect(size(service)).toBe(before + 21);
    expect(attio(service, known.recordId)['job_title']).toEqual(['After']);
    const made = writes(service).filter(({ method, status }) => method === 'POST' && status === 200);
    const bodies = made.map((request) => request.body);
    expect(new Set(bodies).size).toBe(bodies.length);
    expect(await outbox(service)).toMatchObject({ pending: 0, dead: 0 });
  });
});

describe('a refusal that is our own fault', () => {
  test('of the token keeps writes, and health says so', async () => {
    await using service = await startWriting({ subscribe: false });
    const { id, recordId } = (await put(service, { email: 'a@conf.example' })).body.data;
    const { sandbox } = service.sandbox;
    sandbox.setToken('sandbox-token', false);
    const answer = await put(service, { email: 'a@conf.example', jobTitle: 'Kept' });
    expect(answer.status).toBe(202);
    await until(async () => (await health()).checks.attio.status === 'refused');
    expect(await health()).toMatchObject({ status: 'degraded' });
    expect((await health()).checks.attio.problem).toMatch(/ATTIO_API_KEY/);
    expect(await outbox(service)).toMatchObject({ pending: 1, dead: 0 });
    sandbox.setToken('sandbox-token', true);
    await delivered(service);
    expect(attio(service, recordId)['job_title']).toEqual(['Kept']);
    expect((await contact(service, id)).sync.status).toBe('synced');

    async function health(): Promise<HealthJson> {
      return (await service.get<HealthJson>('/health')).body;
    }
  });

  test('of one object keeps its writes, and holds up no others', async () => {
    await using service = await startWriting({ subscribe: false, configure: asLong });
    const { sandbox } = service.sandbox;
    sandbox.addFault({ kind: 'status', status: 403, match: { method: 'POST', path: '*/companies/records' } });
    const held = await put(service, { email: 'a@conf.example', company: { domain: 'conf.example' } });
    expect(held.status).toBe(202);
    expect((await put(service, { email: 'b@conf.example' })).status).toBe(200);
    const { body } = await service.get<HealthJson>('/health');
    expect(body.status).toBe('degraded');
    expect(body.checks.attio.problem).toMatch(/scope|permission|allow/i);
    expect(await outbox(service)).toMatchObject({ pending: 2, dead: 0 });
    sandbox.clearFaults();
    await delivered(service);
    const after = await contact(service, held.body.data.id);
    expect(after.sync.status).toBe('synced');
    expect(attio(service, after.companyRecordId ?? '', 'companies')['domains']).toEqual(['conf.example']);
  });
});
