import { afterEach, expect, test } from 'vitest';
import type { FaultInput } from '../mocks/faults.ts';
import { takeViolations } from '../support/exchanges.ts';
import type { TestService } from '../support/service.ts';
import {
  attio,
  conflicts,
  contactsWith,
  letters,
  outbox,
  put,
  quiet,
  size,
  startWriting,
} from '../support/writes.ts';

afterEach(() => {
  // The vendor's document declares none of the statuses that limits and outages answer.
  expect(takeViolations().filter((violation) => !/\b(409|429|5\d\d)\b/.test(violation))).toEqual([]);
});

const FAULTS: FaultInput[] = [
  { kind: 'status', status: 500, probability: 0.1 },
  { kind: 'status', status: 409, probability: 0.1, match: { path: '/people/records/' } },
  { kind: 'status', status: 429, probability: 0.05 },
  { kind: 'lost-answer', probability: 0.15 },
  { kind: 'malformed', probability: 0.05 },
  { kind: 'disconnect', probability: 0.05 },
  { kind: 'latency', ms: 30, probability: 0.3 },
  { kind: 'duplicate-webhooks', probability: 0.2 },
  { kind: 'reorder-webhooks', ms: 50, probability: 0.2 },
];

/** The same numbers each time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % sides;
  };
}

interface Wanted {
  readonly jobTitle: string;
  readonly firstName: string | null;
  readonly phones: ReadonlySet<string>;
  /** What a person has written in Attio. */
  readonly comment: string | null;
}

const NOTHING: Wanted = { jobTitle: '', firstName: null, phones: new Set(), comment: null };
const EMAILS = Array.from({ length: 5 }, (_, index) => `p${index}@storm.example`);

/** One request of ours and, now and then, an edit of somebody. @returns what is wanted of the contact then */
async function act(
  service: TestService,
  turn: number,
  email: string,
  before: Wanted,
  roll: (sides: number) => number,
): Promise<Wanted> {
  const phone = `+1555010${1000 + roll(8)}`;
  const jobTitle = `Title ${turn}`;
  const name = roll(2) === 0 ? {} : { firstName: `Name ${turn}` };
  const company = roll(3) === 0 ? { company: { domain: `c${roll(2)}.storm.example` } } : {};
  const body = { email: roll(2) === 0 ? email : email.toUpperCase(), jobTitle, phone, ...name, ...company };
  const answer = await put(service, body, roll(4) === 0 ? '' : '?wait=false');
  expect([200, 202]).toContain(answer.status);
  const wanted = { ...before, ...name, jobTitle, phones: new Set([...before.phones, phone]) };
  const { recordId } = answer.body.data;
  if (recordId === null || roll(3) !== 0) return wanted;
  const comment = `Comment ${turn}`;
  service.sandbox.sandbox.edit({ object: 'people', recordId, values: { internal_comment: comment } });
  return { ...wanted, comment };
}

async function expectAgreement(service: TestService, email: string, wanted: Wanted): Promise<void> {
  const [contact, ...others] = await contactsWith(service, email);
  expect(others).toEqual([]);
  const record = attio(service, contact?.recordId ?? '');
  expect(record).toMatchObject({ email_addresses: [email], job_title: [wanted.jobTitle] });
  expect(new Set(record['phone_numbers'])).toEqual(wanted.phones);
  expect(contact).toMatchObject({
    emails: [email],
    jobTitle: wanted.jobTitle,
    firstName: wanted.firstName,
    companyRecordId: record['company']?.[0] ?? null,
    attributes: { phone_numbers: record['phone_numbers'], internal_comment: wanted.comment },
    sync: { status: 'synced' },
  });
}

test.each([1, 2])('whatever goes wrong, both sides agree in the end (%i)', async (seed) => {
  await using service = await startWriting({ sandbox: { people: 0, companies: 0, deals: 0, seed } });
  const { sandbox } = service.sandbox;
  for (const fault of FAULTS) sandbox.addFault(fault);
  const roll = dice(seed);
  const wanted = new Map<string, Wanted>();
  for (let turn = 0; turn < 60; turn += 1) {
    const email = EMAILS[roll(EMAILS.length)] ?? '';
    wanted.set(email, await act(service, turn, email, wanted.get(email) ?? NOTHING, roll));
  }
  sandbox.clearFaults();
  await quiet(service);
  expect([await outbox(service), await letters(service)]).toMatchObject([{ pending: 0, dead: 0 }, []]);
  expect([size(service), size(service, 'companies')]).toEqual([wanted.size, 2]);
  for (const [email, each] of wanted) await expectAgreement(service, email, each);
  expect(await conflicts(service)).toEqual([]);
});
