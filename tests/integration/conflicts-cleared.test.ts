import { afterEach, describe, expect, test } from 'vitest';
import { agreedAda, apart, EMAIL, edit, heldBack, listed, startWith } from '../support/conflicts.ts';
import { takeViolations } from '../support/exchanges.ts';
import type { TestService } from '../support/service.ts';
import { attio, outage, put, quiet, recovered } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

describe('a field that was cleared in Attio', () => {
  /** Reads of the history of an attribute. */
  const histories = (service: TestService) =>
    service.sandbox.sandbox
      .requests()
      .requests.filter(({ path }) => /\/attributes\/[^/]+\/values(\?|$)/.test(path)).length;

  test.each([
    [
      'before the write, as its hint says',
      true,
      'before',
      'internal_comment',
      ['Ours'],
      'local',
      'last-write-wins',
      0,
    ],
    [
      'after the write, as its hint says',
      true,
      'after',
      'internal_comment',
      [],
      'attio',
      'last-write-wins',
      0,
    ],
    [
      'before the write, as its history says',
      false,
      'before',
      'internal_comment',
      ['Ours'],
      'local',
      'last-write-wins',
      1,
    ],
    [
      'after the write, as its history says',
      false,
      'after',
      'internal_comment',
      [],
      'attio',
      'last-write-wins',
      1,
    ],
    ['before the write, which nobody tells', false, 'before', 'description', [], 'attio', 'concurrent', 1],
    [
      'after the write, as its hint says, though it has no history',
      true,
      'after',
      'description',
      [],
      'attio',
      'last-write-wins',
      0,
    ],
    [
      'before the write, as its hint says, though it has no history',
      true,
      'before',
      'description',
      ['Ours'],
      'local',
      'last-write-wins',
      0,
    ],
  ] as const)('%s', async (_, subscribe, when, field, stands, decided, reason, reads) => {
    await using service = await startWith({ subscribe });
    const recordId = await agreedAda(service);
    edit(service, recordId, { description: 'Agreed' });
    await quiet(service);
    await service.sync('people');
    await outage(service);
    const { sandbox } = service.sandbox;
    sandbox.clearRequests();
    const clear = async () => {
      edit(service, recordId, { [field]: [] });
      await sandbox.settled();
    };
    if (when === 'before') await clear();
    await put(service, { email: EMAIL, attributes: { [field]: 'Ours' } });
    if (when === 'after') await clear();
    await heldBack(service);
    await recovered(service);
    expect(attio(service, recordId)[field]).toEqual(stands);
    expect(await listed(service)).toMatchObject([
      { field, decided, reason, base: 'Agreed', local: 'Ours', attio: null },
    ]);
    expect(histories(service)).toBe(reads);
  });

  test.each([true, false])(
    'after a write that went out soon is the later one (told: %s)',
    async (subscribe) => {
      await using service = await startWith({ subscribe });
      const recordId = await agreedAda(service);
      edit(service, recordId, { internal_comment: 'Agreed' });
      await quiet(service);
      await service.sync('people');
      service.sandbox.sandbox.addFault({ kind: 'disconnect' });
      const attributes = { internal_comment: 'Ours' };
      await put(service, { email: EMAIL, attributes }, '?wait=false');
      edit(service, recordId, { internal_comment: [] });
      await service.sandbox.sandbox.settled();
      await recovered(service);
      expect(attio(service, recordId)['internal_comment']).toEqual([]);
      expect(await listed(service)).toMatchObject([
        {
          field: 'internal_comment',
          decided: 'attio',
          reason: 'last-write-wins',
          local: 'Ours',
          attio: null,
        },
      ]);
    },
  );

  test('is not asked about where the policy decides', async () => {
    await using service = await startWith({ policy: 'attio-wins' });
    const recordId = await apart(service);
    service.sandbox.sandbox.clearRequests();
    await put(service, { email: EMAIL, jobTitle: 'Ours' });
    edit(service, recordId, { job_title: [] });
    await heldBack(service);
    await recovered(service);
    expect([attio(service, recordId)['job_title'], histories(service)]).toEqual([[], 0]);
  });

  test('a value of a list that was taken away before the write is added again', async () => {
    await using service = await startWith({});
    const recordId = await apart(service);
    edit(service, recordId, { phone_numbers: ['+15550100009'] });
    await put(service, { email: EMAIL, phone: '+15550100001' });
    await heldBack(service);
    await recovered(service);
    expect(attio(service, recordId)['phone_numbers']).toEqual(['+15550100001', '+15550100009']);
    expect(await listed(service)).toMatchObject([{ decided: 'local', local: ['+15550100001'] }]);
  });
});
