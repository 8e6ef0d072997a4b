/** What a write costs Attio: its own requests, the events that come of it, and what these cost in turn. */
import { post } from './activity.ts';
import { patchDeal, putDeal } from './deals.ts';
import type { HeldDeliveries } from './held-deliveries.ts';
import { add, change } from './pipelines.ts';
import type { TestService } from './service.ts';
import { delivered, put, putCompany, quiet } from './writes.ts';

export interface Cost {
  /** Events that Attio has told. */
  readonly events: number;
  /** Requests to Attio that change something. */
  readonly writes: number;
  /** Requests to Attio that change nothing: those of the write itself, and those for its events. */
  readonly ownReads: number;
  readonly echoReads: number;
  /** Rows of the change feed. */
  readonly rows: number;
}

/** Each brings its write to its end in Attio; where one builds on another, that one has been run before. */
export const WRITES: Readonly<Record<string, (service: TestService) => Promise<unknown>>> = {
  'a new contact, 5 attributes': (service) =>
    put(service, {
      email: 'ada@echo.example',
      firstName: 'Ada',
      phone: '+15550100001',
      jobTitle: 'Analyst',
      attributes: { description: 'One', lead_source: 'Event' },
    }),
  'a contact, 5 attributes changed': (service) =>
    put(service, {
      email: 'ada@echo.example',
      lastName: 'King',
      phone: '+15550100002',
      jobTitle: 'Engineer',
      attributes: { description: 'Two', lead_source: 'Website' },
    }),
  'a contact, nothing changed': (service) =>
    put(service, { email: 'ada@echo.example', jobTitle: 'Engineer' }),
  'a new company, 3 attributes': (service) =>
    putCompany(service, { domain: 'echo.example', name: 'Echo', attributes: { description: 'One' } }),
  'a company, 3 attributes changed': (service) =>
    putCompany(service, {
      domain: 'echo.example',
      name: 'Echoes',
      attributes: { description: 'Two', categories: ['SAAS'] },
    }),
  'a new deal, 3 attributes': (service) =>
    putDeal(service, { externalId: 'e1', name: 'Engine', stage: 'Lead', value: { amount: 1 } }),
  'a deal, 3 attributes changed': async (service) => {
    const { body } = await service.get<{ data: { id: string }[] }>('/v1/deals?externalId=e1');
    await patchDeal(service, body.data[0]?.id ?? '', {
      name: 'Engines',
      stage: 'In Progress',
      value: { amount: 2 },
    });
  },
  'a new entry, 3 attributes': (service) =>
    add(service, 'recruiting', {
      email: 'ada@echo.example',
      stage: 'Applied',
      value: { amount: 1 },
      attributes: { start_date: '2026-12-01' },
    }),
  'an entry, 3 attributes changed': async (service) => {
    const { body } = await service.get<{ data: { id: string }[] }>(
      '/v1/pipelines/recruiting/entries?stage=Applied',
    );
    await change(service, 'recruiting', body.data[0]?.id ?? '', {
      stage: 'Interview',
      value: { amount: 2 },
      attributes: { start_date: '2026-12-02' },
    });
  },
  'a new note': (service) =>
    post(service, 'notes', { email: 'ada@echo.example', title: 'Call', content: 'Two engines.' }),
  'a new task': (service) => post(service, 'tasks', { content: 'Send the offer', deadlineAt: '2026-12-01' }),
  'a task, 2 members changed': async (service) => {
    const { body } = await service.get<{ data: { id: string; content: string }[] }>('/v1/tasks?limit=1000');
    const task = body.data.find(({ content }) => content === 'Send the offer');
    const body2 = { isCompleted: true, deadlineAt: '2026-12-02' };
    await service.call('PATCH', `/v1/tasks/${task?.id}`, { body: body2 });
  },
  'a new comment': async (service) => {
    const { body } = await service.get<{ data: { recordId: string }[] }>(
      '/v1/contacts?email=ada@echo.example',
    );
    const [member] = service.sandbox.sandbox.world.members;
    const recordId = body.data[0]?.recordId;
    await post(service, 'comments', { recordId, content: 'Who calls her?', authorEmail: member?.email });
  },
  'a batch of 100 new contacts, 3 attributes': (service) => batch(service, 'Analyst'),
  'a batch of 100 contacts, 1 attribute changed': (service) => batch(service, 'Engineer'),
};

async function batch(service: TestService, jobTitle: string): Promise<void> {
  const contacts = Array.from({ length: 100 }, (_, index) => ({
    email: `p${index}@echo.example`,
    lastName: `Number ${index}`,
    jobTitle,
  }));
  const { status } = await service.call('POST', '/v1/contacts/batch', { body: { contacts } });
  if (status !== 202) throw new Error(`the batch was answered with ${status}`);
}

/** Runs a write, has its webhooks come when Attio has confirmed it, and counts when their events are settled. */
export async function costOf(
  service: TestService,
  write: (service: TestService) => Promise<unknown>,
  deliveries: HeldDeliveries,
): Promise<Cost> {
  const { sandbox } = service.sandbox;
  const cursor = await service.latest();
  const events = sandbox.deliveries().length;
  deliveries.hold();
  sandbox.clearRequests();
  await write(service);
  await delivered(service);
  const own = requestsOf(service);
  sandbox.clearRequests();
  deliveries.release();
  await quiet(service);
  const echo = requestsOf(service);
  return {
    events: sandbox.deliveries().length - events,
    writes: own.writes + echo.writes,
    ownReads: own.reads,
    echoReads: echo.reads,
    rows: (await service.changes(cursor)).data.length,
  };
}

/** Definitions, and who we are, are asked for whether anybody writes or not. */
const OF_VALUES = /\/(records|entries|notes|tasks|comments|threads)\b/;

export function requestsOf(service: TestService): { reads: number; writes: number } {
  const requests = service.sandbox.sandbox.requests().requests.filter(({ path }) => OF_VALUES.test(path));
  const reads = requests.filter(({ method, path }) => method === 'GET' || path.endsWith('/query')).length;
  return { reads, writes: requests.length - reads };
}
