import { afterEach, describe, expect, test } from 'vitest';
import type { AppConfig } from '../../src/config.ts';
import { createLogger } from '../../src/monitoring/logger.ts';
import { automated, automationLetters, metric, recordIds } from '../support/automations.ts';
import { takeViolations } from '../support/exchanges.ts';
import { startService, type TestService, until } from '../support/service.ts';
import { quiet } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const SMALL = { people: 6, companies: 2, deals: 2 };
const DAY_MS = 24 * 60 * 60 * 1000;

const EXAMPLE: AppConfig['automations']['taskOnStage'] = {
  enabled: true,
  list: 'recruiting',
  stage: 'iNTERVIEW',
  content: 'Prepare the interview',
  dueInDays: 2,
};

interface TaskJson {
  readonly content: string;
  readonly deadlineAt: string | null;
  readonly linkedRecords: readonly { readonly object: string; readonly recordId: string | null }[];
}

interface AttioEntry {
  readonly id: { readonly entry_id: string };
  readonly entry_values: { readonly stage: readonly { readonly active_from: string }[] };
}

async function start(taskOnStage: Partial<typeof EXAMPLE> = {}): Promise<TestService> {
  const configure = automated({ taskOnStage: { ...EXAMPLE, ...taskOnStage } });
  const service = await startService({ sandbox: SMALL, configure });
  await service.sync('people');
  return service;
}

/** Somebody puts a person into a list. @returns the entry's id */
function enter(service: TestService, recordId: string, stage: string): string {
  const entry = service.sandbox.sandbox.act({
    method: 'POST',
    path: '/lists/recruiting/entries',
    body: { data: { parent_record_id: recordId, parent_object: 'people', entry_values: { stage: [stage] } } },
  }) as AttioEntry;
  return entry.id.entry_id;
}

/** Somebody changes an entry. */
function change(service: TestService, entryId: string, values: Record<string, unknown>): AttioEntry {
  return service.sandbox.sandbox.act({
    method: 'PATCH',
    path: `/lists/recruiting/entries/${entryId}`,
    body: { data: { entry_values: values } },
  }) as AttioEntry;
}

/** Resolves when all that follows from what was done has been done. */
async function idle(service: TestService): Promise<void> {
  await quiet(service);
  await until(async () => (await metric(service, 'automations_pending')) === 0);
  await quiet(service);
}

async function tasksOf(service: TestService, recordId: string): Promise<TaskJson[]> {
  await idle(service);
  return (await service.get<{ data: TaskJson[] }>(`/v1/tasks?recordId=${recordId}`)).body.data;
}

function tasksInAttio(service: TestService): number {
  return (service.sandbox.sandbox.act({ method: 'GET', path: '/tasks' }) as unknown[]).length;
}

describe('the example, when it is switched on', () => {
  test('makes one task for each stay of an entry in the stage', async () => {
    await using service = await start();
    const [recordId = ''] = recordIds(service);
    const before = tasksInAttio(service);
    const entryId = enter(service, recordId, 'Applied');
    expect(await tasksOf(service, recordId)).toEqual([]);
    const moved = change(service, entryId, { stage: ['Interview'] });
    const [task, ...others] = await tasksOf(service, recordId);
    const since = Date.parse(moved.entry_values.stage[0]?.active_from ?? '');
    expect(others).toEqual([]);
    expect(task).toMatchObject({
      content: 'Prepare the interview',
      deadlineAt: new Date(since + 2 * DAY_MS).toISOString(),
      linkedRecords: [{ object: 'people', recordId }],
    });
    // While it stays there: other values, the same stage again, and the same event again.
    change(service, entryId, { tags: ['Remote'], value: [{ currency_value: 10 }] });
    change(service, entryId, { stage: ['Interview'] });
    expect(await tasksOf(service, recordId)).toHaveLength(1);
    await service.deliver(stageEvent(service, entryId, recordId));
    await service.deliver(stageEvent(service, entryId, recordId));
    expect(await tasksOf(service, recordId)).toHaveLength(1);
    // A week later: keys of callers would be let go by now.
    const past = new Date(Date.now() - 7 * DAY_MS).toISOString();
    await service.database.rows(`update item set created_at = '${past}' where request_key is not null`);
    await service.deliver(stageEvent(service, entryId, recordId));
    expect(await tasksOf(service, recordId)).toHaveLength(1);
    // It leaves, and comes back.
    change(service, entryId, { stage: ['Offer'] });
    expect(await tasksOf(service, recordId)).toHaveLength(1);
    change(service, entryId, { stage: ['Interview'] });
    expect(await tasksOf(service, recordId)).toHaveLength(2);
    expect(tasksInAttio(service) - before).toBe(2);
    expect(await automationLetters(service)).toEqual([]);
  });

  test('makes one for an entry that begins there, or is moved there by an internal system', async () => {
    await using service = await start({ dueInDays: null });
    const [one = '', other = ''] = recordIds(service);
    enter(service, one, 'Interview');
    expect(await tasksOf(service, one)).toMatchObject([{ deadlineAt: null }]);
    const added = await service.call<{ data: { id: string } }>('POST', '/v1/pipelines/recruiting/entries', {
      body: { recordId: other, stage: 'Screening' },
    });
    expect(await tasksOf(service, other)).toEqual([]);
    const path = `/v1/pipelines/recruiting/entries/${added.body.data.id}`;
    expect((await service.call('PATCH', path, { body: { stage: 'interview' } })).status).toBe(200);
    expect(await tasksOf(service, other)).toHaveLength(1);
  });

  test('leaves other lists and stages alone, and a task that somebody has deleted', async () => {
    await using service = await start({ list: 'partnerships' });
    const [recordId = ''] = recordIds(service);
    enter(service, recordId, 'Interview');
    expect(await tasksOf(service, recordId)).toEqual([]);
    await service.stop();
    await using another = await start();
    const [person = ''] = recordIds(another);
    const entryId = enter(another, person, 'Interview');
    expect(await tasksOf(another, person)).toHaveLength(1);
    const { sandbox } = another.sandbox;
    const [task] = sandbox.act({
      method: 'GET',
      path: `/tasks?linked_object=people&linked_record_id=${person}`,
    }) as { id: { task_id: string } }[];
    sandbox.act({ method: 'DELETE', path: `/tasks/${task?.id.task_id}` });
    expect(await tasksOf(another, person)).toEqual([]);
    await another.deliver(stageEvent(another, entryId, person));
    expect(await tasksOf(another, person)).toEqual([]);
    expect(await automationLetters(another)).toEqual([]);
  });
});

test('a stage that does not exist is warned of at the start, with what may have been meant', async () => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ name: 'test', level: 'warn', destination });
  await using service = await startService({
    sandbox: SMALL,
    configure: automated({ taskOnStage: { ...EXAMPLE, stage: 'Ofer' } }),
    overrides: { logger },
  });
  const warned = () =>
    lines.filter(({ msg }) => msg === 'an automation waits for a stage that does not exist');
  await until(async () => warned().length > 0);
  expect(warned()).toEqual([
    expect.objectContaining({
      automation: 'task-on-stage',
      why: expect.stringContaining('"Ofer" is no stage of this workspace. Did you mean "Offer"?'),
    }),
  ]);
  expect(service.url).not.toBe('');
});

test('the example is off unless it is switched on', async () => {
  await using service = await startService({ sandbox: SMALL });
  await service.sync('people');
  const [recordId = ''] = recordIds(service);
  enter(service, recordId, 'Interview');
  expect(await tasksOf(service, recordId)).toEqual([]);
  expect(await service.database.rows('select id from automation_job')).toEqual([]);
});

/** The body of a delivery that says that the stage has changed. */
function stageEvent(service: TestService, entryId: string, recordId: string): unknown {
  const { world } = service.sandbox.sandbox;
  const list = world.list('recruiting');
  const stage = list.table.schema.find('stage');
  return {
    webhook_id: '00000000-0000-4000-8000-000000000001',
    events: [
      {
        event_type: 'list-entry.updated',
        id: {
          workspace_id: world.workspace.id,
          list_id: list.id,
          entry_id: entryId,
          attribute_id: stage?.id,
        },
        parent_object_id: world.object('people').id,
        parent_record_id: recordId,
        actor: { type: 'system', id: null },
      },
    ],
  };
}
