import { expect, test } from 'vitest';
import { recordIds, retitle } from '../support/automations.ts';
import { expectFollowed, pushed, pushing, startPushing, webhooks } from '../support/pushes.ts';
import { Receiver } from '../support/receiver.ts';
import { freePort, TestService } from '../support/service.ts';

test('of several instances on one database one pushes to each URL, and another takes over', async () => {
  await using receiver = await Receiver.start();
  await using other = await Receiver.start();
  await using first = await startPushing([receiver.url, other.url]);
  const after = await first.latest();
  const second = new TestService({
    sandbox: first.sandbox,
    secret: first.secret,
    database: first.database,
    overrides: {},
    configure: pushing(),
    env: { ...first.env, PORT: String(await freePort()) },
  });
  await second.start();
  try {
    const ids = recordIds(first);
    for (const id of ids) {
      retitle(first, id, 'One');
      await second.deliver(second.event('record.updated', 'people', id));
    }
    await first.settled();
    await second.settled();
    await pushed(first);
    const count = (await first.changes(after)).data.length;
    // Nothing twice: whatever instance has seen a change, one alone pushes it.
    for (const one of [receiver, other]) expect(one.attempts).toHaveLength(count);
    await first.stop();
    for (const id of ids.slice(0, 5)) {
      retitle(first, id, 'Two');
      await second.deliver(second.event('record.updated', 'people', id));
    }
    await second.settled();
    await pushed(second);
    const feed = (await second.changes(after)).data;
    expect(feed.length).toBeGreaterThan(count);
    for (const one of [receiver, other]) {
      expect(one.attempts).toHaveLength(feed.length);
      expectFollowed(one, feed);
    }
    expect(await webhooks(second)).toMatchObject([{ pending: 0 }, { pending: 0 }]);
  } finally {
    await second.stop();
  }
});
