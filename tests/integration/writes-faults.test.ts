import { afterEach, describe, expect, test } from 'vitest';
import type { FaultInput } from '../mocks/faults.ts';
import { takeViolations } from '../support/exchanges.ts';
import {
  attio,
  conflicts,
  contactsWith,
  delivered,
  letters,
  outbox,
  put,
  size,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  // The vendor's document declares none of the statuses that proxies and limits answer.
  expect(takeViolations().filter((violation) => !/\b(40[0-9]|429|5\d\d)\b/.test(violation))).toEqual([]);
});

const TRANSIENT: [string, FaultInput][] = [
  ['409 concurrent_write_conflict', { kind: 'status', status: 409 }],
  ['404 merge_in_progress', { kind: 'status', status: 404, code: 'merge_in_progress' }],
  ['400 merge_in_progress', { kind: 'status', status: 400, code: 'merge_in_progress' }],
  ['429', { kind: 'status', status: 429 }],
  ['500', { kind: 'status', status: 500 }],
  ['503 with a page', { kind: 'status', status: 503 }],
  ['no answer', { kind: 'hang' }],
  ['a cut connection', { kind: 'disconnect' }],
  ['half an answer, carried out', { kind: 'malformed' }],
  ['a lost answer, carried out', { kind: 'lost-answer' }],
];

describe.each(TRANSIENT)('%s to a write', (_, fault) => {
  test('is not for good: it is written once, in the end', async () => {
    await using service = await startWriting({ subscribe: false });
    const { sandbox } = service.sandbox;
    const [added, replaced] = await Promise.all([
      put(service, { email: 'added@fault.example', lastName: 'Before', phone: '+15550100001' }),
      put(service, { email: 'replaced@fault.example', phone: '+15550100001' }),
    ]);
    const before = size(service);
    sandbox.clearRequests();
    // Not the looks, which are POSTs as well.
    sandbox.addFault({ ...fault, count: 1, match: { method: 'POST', path: '*/people/records' } });
    sandbox.addFault({ ...fault, count: 1, match: { method: 'PATCH', path: '/people/records/' } });
    sandbox.addFault({ ...fault, count: 1, match: { method: 'PUT', path: '/people/records/' } });
    const answers = await Promise.all([
      put(service, { email: 'made@fault.example', lastName: 'New', phone: '+15550100003' }),
      put(service, { email: 'added@fault.example', lastName: 'After', phone: '+15550100002' }),
      put(service, {
        email: 'replaced@fault.example',
        jobTitle: 'Late',
        phone: { replace: ['+15550100004'] },
      }),
    ]);
    for (const { status } of answers) expect([200, 202]).toContain(status);
    await delivered(service);
    expect(size(service)).toBe(before + 1);
    const [made] = await contactsWith(service, 'made@fault.example');
    expect(attio(service, made?.recordId ?? '')).toMatchObject({
      name: [['', 'New']],
      phone_numbers: ['+15550100003'],
    });
    expect(attio(service, added.body.data.recordId)).toMatchObject({
      name: [['', 'After']],
      phone_numbers: ['+15550100002', '+15550100001'],
    });
    expect(attio(service, replaced.body.data.recordId)).toMatchObject({
      job_title: ['Late'],
      phone_numbers: ['+15550100004'],
    });
    expect(writes(service).length).toBeLessThanOrEqual(6);
    expect([await outbox(service), await letters(service)]).toMatchObject([{ pending: 0, dead: 0 }, []]);
    expect([made?.sync.status, await conflicts(service)]).toEqual(['synced', []]);
  });
});
