import { afterEach, expect, test } from 'vitest';
import { costOf, WRITES } from '../support/echo-costs.ts';
import { gathering } from '../support/echoes.ts';
import { takeViolations } from '../support/exchanges.ts';
import { HeldDeliveries, PATIENT_DELIVERIES } from '../support/held-deliveries.ts';
import { SMALL, startWriting } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

/** Webhooks come at 25 a second, and reads for them once a second. */
const A_FEW = expect.toSatisfy((reads: number) => reads >= 1 && reads <= 25);

/** What each write costs: events that Attio tells, requests that change something, reads for the events, rows of the feed. */
const COSTS: Readonly<
  Record<keyof typeof WRITES, readonly [events: number, writes: number, echoReads: unknown, rows: number]>
> = {
  'a new contact, 5 attributes': [1, 1, 0, 1],
  'a contact, 5 attributes changed': [5, 1, 1, 1],
  'a contact, nothing changed': [0, 0, 0, 0],
  'a new company, 3 attributes': [1, 1, 0, 1],
  'a company, 3 attributes changed': [3, 1, 1, 1],
  'a new deal, 3 attributes': [1, 1, 0, 1],
  'a deal, 3 attributes changed': [3, 1, 1, 1],
  'a new entry, 3 attributes': [1, 1, 0, 1],
  'an entry, 3 attributes changed': [3, 1, 1, 1],
  'a new note': [1, 1, 0, 1],
  'a new task': [1, 1, 0, 1],
  'a task, 2 members changed': [1, 1, 1, 1],
  'a new comment': [1, 1, 0, 1],
  'a batch of 100 new contacts, 3 attributes': [100, 100, 0, 100],
  'a batch of 100 contacts, 1 attribute changed': [100, 100, A_FEW, 100],
};

test('the webhooks of a write cost a read at most, no write and no row, and none what it has made', async () => {
  const deliveries = new HeldDeliveries();
  await using service = await startWriting({
    sandbox: { ...SMALL, fetch: deliveries.fetch, deliveries: PATIENT_DELIVERIES },
    configure: gathering(1_500),
  });
  await service.confirmed();
  for (const [name, [events, writes, echoReads, rows]] of Object.entries(COSTS)) {
    const cost = await costOf(service, WRITES[name] ?? (async () => {}), deliveries);
    expect
      .soft({ name, ...cost })
      .toEqual({ name, events, writes, echoReads, ownReads: expect.any(Number), rows });
  }
});
