import { afterEach, describe, expect, it } from 'vitest';
import { SUBSCRIBED_EVENTS } from '../../src/domain/webhook-events.ts';
import { cli, cliJson } from '../support/cli.ts';
import { takeViolations } from '../support/exchanges.ts';
import { failure, faults, Operated } from '../support/operated.ts';
import { until } from '../support/service.ts';

let set: Operated;
afterEach(async () => {
  await set[Symbol.asyncDispose]();
  expect(takeViolations()).toEqual([]);
});

describe("doctor's look at the webhook", () => {
  it('names a webhook that is not there', async () => {
    set = await Operated.ready();
    const { body } = await cliJson<{ webhooks: { id: string }[] }>(set.env, ['webhooks', 'list']);
    await cli(set.env, ['webhooks', 'delete', body.webhooks[0]?.id ?? '']);
    expect(failure(await set.doctor()).mend).toContain('webhooks register');
    set.env['PUBLIC_URL'] = '';
    expect(faults(await set.doctor())[0]).toContain('warning webhook: PUBLIC_URL is not set');
  });

  it('names an event that it is not subscribed to, and --fix adds it', async () => {
    set = await Operated.ready();
    const { body } = await cliJson<{ webhooks: { id: string }[] }>(set.env, ['webhooks', 'list']);
    const path = `/webhooks/${body.webhooks[0]?.id}`;
    const subscriptions = SUBSCRIBED_EVENTS.filter(
      (type) => !['record.merged', 'task.deleted'].includes(type),
    ).map((event_type) => ({ event_type, filter: null }));
    set.sandbox.act({ method: 'PATCH', path, body: { data: { subscriptions } } });
    const { message, mend } = failure(await set.doctor());
    expect(message).toContain('not subscribed to record.merged and task.deleted');
    expect(mend).toContain('--fix');
    expect(faults(await set.doctor('--fix'))).toEqual([]);
    expect(faults(await set.doctor())).toEqual([]);
  });

  it('names a secret that is not the one that was told at registration', async () => {
    set = await Operated.ready();
    set.env['ATTIO_WEBHOOK_SECRET'] = 'a-slip-of-the-pen';
    const { id, message, mend } = failure(await set.doctor());
    expect(id).toBe('webhook-secret');
    expect(message).toContain('does not hold the secret that Attio told');
    expect(mend).toContain('webhooks rotate');
  });

  it('names a secret that is wrong by the deliveries that were refused, until one is accepted', async () => {
    set = await Operated.bare();
    await cli(set.env, ['doctor', '--fix']);
    // Made by hand: nobody has noted its secret.
    const subscriptions = SUBSCRIBED_EVENTS.map((event_type) => ({ event_type, filter: null }));
    set.sandbox.act({
      method: 'POST',
      path: '/webhooks',
      body: { data: { target_url: 'https://bridge.example.com/webhooks', subscriptions } },
    });
    expect(faults(await set.doctor())).toEqual([
      expect.stringContaining('warning webhook-secret: it is not known yet'),
    ]);
    await set.service.start();
    const event = set.service.event('task.created', 'people', '00000000-0000-4000-8000-000000000002');
    expect((await set.service.deliver('{}', { headers: { 'attio-signature': '' } })).status).toBe(401);
    expect((await set.service.deliver(event, { secret: 'another one' })).status).toBe(401);
    await until(async () => (await set.service.database.rows('select * from webhook_signature')).length > 0);
    const { message, mend } = failure(await set.doctor());
    expect(message).toContain('deliveries come signed with another secret');
    expect(mend).toContain('webhooks rotate');
    expect((await set.service.deliver(event)).status).toBe(202);
    await set.service.stop();
    expect(faults(await set.doctor())).toEqual([]);
  });
});
