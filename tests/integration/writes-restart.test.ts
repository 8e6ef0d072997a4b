import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import {
  attio,
  contact,
  contactsWith,
  delivered,
  kindsOf,
  outage,
  outbox,
  put,
  startWriting,
  writes,
} from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

describe('writes that wait', () => {
  test('survive a stop of the service', async () => {
    await using service = await startWriting();
    await outage(service);
    for (const jobTitle of ['One', 'Two']) await put(service, { email: 'a@stop.example', jobTitle });
    await put(service, { email: 'b@stop.example', company: { domain: 'stop.example' } });
    await service.stop();
    service.sandbox.sandbox.clearFaults();
    service.sandbox.sandbox.clearRequests();
    await service.start();
    await delivered(service);
    const [a] = await contactsWith(service, 'a@stop.example');
    const [b] = await contactsWith(service, 'b@stop.example');
    expect(attio(service, a?.recordId ?? '')['job_title']).toEqual(['Two']);
    expect(attio(service, b?.recordId ?? '')['company']).toEqual([b?.companyRecordId]);
    expect(kindsOf(writes(service)).toSorted()).toEqual([
      'PATCH people',
      'POST companies',
      'POST people',
      'POST people',
    ]);
  });
});

describe('the first write after a start', () => {
  test('is answered when Attio has it', async () => {
    await using service = await startWriting({ subscribe: false });
    expect((await put(service, { email: 'a@first.example' })).status).toBe(200);
  });

  test('is taken at once when it need not be waited for, and what Attio does not take is found later', async () => {
    await using service = await startWriting({ subscribe: false });
    service.sandbox.sandbox.addFault({ kind: 'disconnect' });
    await service.stop();
    await service.start();
    const good = await put(
      service,
      { email: 'a@first.example', attributes: { interests: ['Reporting'] } },
      '?wait=false',
    );
    const bad = await put(service, { email: 'b@first.example', attributes: { no_such: 1 } }, '?wait=false');
    expect([good.status, bad.status]).toEqual([202, 202]);
    service.sandbox.sandbox.clearFaults();
    await delivered(service);
    expect((await contact(service, good.body.data.id)).sync.status).toBe('synced');
    expect((await contact(service, bad.body.data.id)).sync).toMatchObject({
      status: 'failed',
      code: 'invalid_value',
    });
    expect(await outbox(service)).toMatchObject({ pending: 0, dead: 1 });
  });
});
