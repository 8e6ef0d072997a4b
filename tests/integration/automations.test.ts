import { randomInt } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { on } from '../../src/services/automations/automation.ts';
import { automated, automationLetters, metric, recordIds, retitle } from '../support/automations.ts';
import { takeViolations } from '../support/exchanges.ts';
import { ServiceProcess } from '../support/process.ts';
import { type ContactJson, prepareService, startService, until } from '../support/service.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const SMALL = { people: 10, companies: 2, deals: 2 };

describe('an automation', () => {
  test('runs after an event, once the mirror is right, and is given what the event is about', async () => {
    const seen: unknown[] = [];
    const watching = on(['record.created', 'record.updated', 'record.deleted'], {
      name: 'watching',
      async run({ event, thing, changed, services }) {
        if (event.type === 'record.updated' && changed !== 'job_title') return;
        const contact = await services.contacts.get(thing?.id ?? '').catch((error) => error);
        seen.push({
          type: event.type,
          object: thing?.object,
          id: thing?.id,
          recordId: thing?.recordId,
          inRecord: thing?.values['job_title'],
          inContact: contact.thing?.jobTitle ?? contact.kind,
          deleted: thing?.deletedAt !== null,
        });
      },
    });
    await using service = await startService({ sandbox: SMALL, overrides: { automations: [watching] } });
    await service.sync('people');
    const [recordId = ''] = recordIds(service);
    const about = { object: 'people', id: recordId, recordId };
    retitle(service, recordId, 'Keeper of the lighthouse');
    await until(async () => seen.length === 1);
    service.sandbox.sandbox.deleteRecord({ object: 'people', recordId });
    await until(async () => seen.length === 2);
    const title = 'Keeper of the lighthouse';
    expect(seen).toEqual([
      { type: 'record.updated', ...about, inRecord: title, inContact: title, deleted: false },
      { type: 'record.deleted', ...about, inRecord: title, inContact: 'gone', deleted: true },
    ]);
    const made = service.sandbox.sandbox.createRecord({
      object: 'people',
      values: { email_addresses: ['new@example.com'], job_title: 'New' },
    });
    await until(async () => seen.length === 3);
    const { record_id: newId } = made['id'] as { record_id: string };
    expect(seen[2]).toEqual({
      type: 'record.created',
      object: 'people',
      id: newId,
      recordId: newId,
      inRecord: 'New',
      inContact: 'New',
      deleted: false,
    });
  });

  test('that fails becomes a dead letter and stops nothing; the letter can be replayed', async () => {
    let broken = true;
    const ran: string[] = [];
    const failing = on('record.updated', {
      name: 'failing',
      async run({ event, changed }) {
        if (changed !== 'job_title') return;
        if (broken) throw new Error('no such column');
        ran.push(`failing ${event.ids['record_id']}`);
      },
    });
    const other = on('record.updated', {
      name: 'other',
      async run({ event, changed }) {
        if (changed === 'job_title') ran.push(`other ${event.ids['record_id']}`);
      },
    });
    await using service = await startService({
      sandbox: SMALL,
      overrides: { automations: [failing, other] },
      configure: automated({ maxAttempts: 2 }),
    });
    await service.sync('people');
    const [recordId = ''] = recordIds(service);
    retitle(service, recordId, 'Unhindered');
    await until(async () => (await automationLetters(service)).length === 1);
    expect(ran).toEqual([`other ${recordId}`]);
    const { body } = await service.get<{ data: ContactJson }>(`/v1/contacts/${recordId}`);
    expect(body.data.jobTitle).toBe('Unhindered');
    const [letter] = await automationLetters(service);
    expect(letter).toMatchObject({
      kind: 'automation',
      automation: 'failing',
      reason: 'attempts_exhausted',
      detail: 'no such column',
      eventType: 'record.updated',
      attempts: 2,
    });
    expect((await service.get<{ data: unknown[] }>('/v1/dead-letters?kind=inbox')).body.data).toEqual([]);
    expect(await metric(service, 'dead_letters{kind="automation"}')).toBe(1);
    expect(await metric(service, 'automation_runs_total{automation="failing",outcome="failed"}')).toBe(2);
    expect(await metric(service, 'automations_pending')).toBe(0);
    const health = await service.get<{ status: string; checks: { inbox: unknown } }>('/health');
    expect(health.body).toMatchObject({ status: 'ok', checks: { inbox: { pending: 0, dead: 0 } } });
    broken = false;
    expect((await service.call('POST', `/v1/dead-letters/${letter?.id}/replay`)).status).toBe(200);
    await until(async () => ran.length === 2);
    expect(ran[1]).toBe(`failing ${recordId}`);
    expect(await automationLetters(service)).toEqual([]);
    expect((await service.call('POST', `/v1/dead-letters/${letter?.id}/replay`)).status).toBe(404);
  });

  test('that hangs is cut off; webhooks, the mirror and others go on', async () => {
    let cut = 0;
    let others = 0;
    const hanging = on('record.updated', {
      name: 'hanging',
      run: ({ signal }) =>
        new Promise<void>(() => {
          signal.addEventListener('abort', () => {
            cut += 1;
          });
        }),
    });
    const other = on('record.updated', {
      name: 'other',
      async run() {
        others += 1;
      },
    });
    await using service = await startService({
      sandbox: SMALL,
      subscribe: false,
      overrides: { automations: [hanging, other] },
      configure: automated({ maxAttempts: 1, timeoutMs: 300, window: 2 }),
    });
    await service.sync('people');
    const ids = recordIds(service);
    for (const id of ids) await service.deliver(service.event('record.updated', 'people', id));
    await service.settled();
    await until(async () => others === ids.length);
    await until(async () => (await automationLetters(service)).length === ids.length);
    expect(cut).toBe(ids.length);
    const [letter] = await automationLetters(service);
    expect(letter?.detail).toBe('the run had not ended after 0.3 s');
  });

  test('that is no longer registered leaves dead letters, which wait for its return', async () => {
    let away = true;
    const former = on('record.updated', {
      name: 'former',
      async run() {
        if (away) throw new Error('not yet');
      },
    });
    const automations = [former];
    await using service = await startService({
      sandbox: SMALL,
      subscribe: false,
      overrides: { automations },
      configure: automated({ maxAttempts: 1_000 }),
    });
    await service.sync('people');
    const [recordId = ''] = recordIds(service);
    await service.deliver(service.event('record.updated', 'people', recordId));
    await until(async () => (await metric(service, 'automations_pending')) === 1);
    await service.stop();
    automations.length = 0;
    await service.start();
    const [letter] = await automationLetters(service);
    expect(letter).toMatchObject({ automation: 'former', reason: 'unknown_automation' });
    expect((await service.call('POST', `/v1/dead-letters/${letter?.id}/replay`)).status).toBe(422);
    await service.stop();
    automations.push(former);
    away = false;
    await service.start();
    await service.call('POST', '/v1/dead-letters/replay?kind=automation');
    await until(async () => (await metric(service, 'automations_pending')) === 0);
    expect(await automationLetters(service)).toEqual([]);
  });
});

describe('at least once', () => {
  const ENTRY = fileURLToPath(new URL('../support/automated-process.ts', import.meta.url));
  const TIMEOUT_MS = 500;

  test('kill -9 at any moment loses no run for an event whose delivery was answered 202', async () => {
    const ran = new Set<string>();
    const survivor = on('record.updated', {
      name: 'survivor',
      async run({ thing }) {
        if (thing !== null) ran.add(thing.recordId);
      },
    });
    await using service = await prepareService({
      sandbox: { people: 60, companies: 0, deals: 0 },
      subscribe: false,
      overrides: { automations: [survivor] },
      configure: automated({ timeoutMs: TIMEOUT_MS }),
    });
    service.url = `http://127.0.0.1:${service.env['PORT']}`;
    const directory = await mkdtemp(join(tmpdir(), 'attio-bridge-'));
    const begunPath = join(directory, 'begun');
    const answered: string[] = [];
    const ids = recordIds(service);
    const send = async (id: string) => {
      const answer = await service.deliver(service.event('record.updated', 'people', id)).catch(() => null);
      if (answer?.status === 202) answered.push(id);
    };
    for (let crash = 0; crash < 2; crash += 1) {
      const child = new ServiceProcess(service.env, [ENTRY, begunPath, String(TIMEOUT_MS)]);
      await child.ready(service.url);
      const sending = (async () => {
        for (const id of ids.slice(crash * 30, (crash + 1) * 30)) await send(id);
      })();
      // Once in the middle of a run for certain, else wherever it is.
      if (crash === 0) await until(async () => (await begun(begunPath)) > 0);
      const delay = AbortSignal.timeout(randomInt(20, 800));
      await new Promise((resolve) => delay.addEventListener('abort', resolve));
      await child.kill();
      await sending;
    }
    expect(await begun(begunPath)).toBeGreaterThan(0);
    expect(answered.length).toBeGreaterThan(0);
    await service.start();
    await until(async () => answered.every((id) => ran.has(id)));
    expect(await automationLetters(service)).toEqual([]);
    await rm(directory, { recursive: true });
  });

  test('a run that a stop cuts off is made again after the next start', async () => {
    let attempts = 0;
    const slow = on('record.updated', {
      name: 'slow',
      async run() {
        attempts += 1;
        if (attempts === 1) await new Promise(() => {});
      },
    });
    await using service = await startService({
      sandbox: SMALL,
      subscribe: false,
      overrides: { automations: [slow] },
    });
    await service.sync('people');
    const [recordId = ''] = recordIds(service);
    await service.deliver(service.event('record.updated', 'people', recordId));
    await until(async () => attempts === 1);
    await service.stop();
    await service.start();
    await until(async () => attempts === 2);
    await until(async () => (await metric(service, 'automations_pending')) === 0);
  });
});

async function begun(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.split('\n').length - 1;
}
