import { expect, test } from 'vitest';
import { on } from '../../src/services/automations/automation.ts';
import { metric, recordIds } from '../support/automations.ts';
import { freePort, startService, TestService, until } from '../support/service.ts';

test('two instances on one database run an automation once for each event', async () => {
  const ran: number[] = [];
  const counting = on('record.updated', {
    name: 'counting',
    async run({ event }) {
      ran.push(event.id);
      await new Promise((resolve) => setImmediate(resolve));
    },
  });
  const overrides = { automations: [counting] };
  const sandbox = { people: 40, companies: 0, deals: 0 };
  await using first = await startService({ sandbox, subscribe: false, overrides });
  const second = new TestService({
    sandbox: first.sandbox,
    secret: first.secret,
    database: first.database,
    overrides,
    configure: (config) => config,
    env: { ...first.env, PORT: String(await freePort()) },
  });
  await second.start();
  try {
    await first.sync('people');
    const ids = recordIds(first);
    for (const [index, id] of ids.entries()) {
      const service = index % 2 === 0 ? first : second;
      expect((await service.deliver(service.event('record.updated', 'people', id))).status).toBe(202);
    }
    await until(async () => ran.length >= ids.length);
    await first.settled();
    await until(async () => (await metric(first, 'automations_pending')) === 0);
    expect(ran.toSorted((a, b) => a - b)).toEqual([...new Set(ran)].toSorted((a, b) => a - b));
    expect(ran).toHaveLength(ids.length);
    const sample = 'automation_runs_total{automation="counting",outcome="done"}';
    expect((await metric(first, sample)) + (await metric(second, sample))).toBe(ids.length);
  } finally {
    await second.stop();
  }
});
