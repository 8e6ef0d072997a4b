import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { ServiceProcess, WITH_SHORT_LEASE } from '../support/process.ts';
import { prepareService, type TestService, until } from '../support/service.ts';
import { outbox } from '../support/writes.ts';

/** How often the service is killed; more by hand: `CRASHES=20 npx vitest run tests/integration/crash-items.test.ts`. */
const CRASHES = Number(process.env['CRASHES'] ?? 3);
const LANES = 4;

type Kind = 'notes' | 'tasks' | 'comments' | 'entries';

interface Wish {
  readonly path: string;
  readonly kind: Kind;
  readonly key: string;
  readonly body: Record<string, unknown>;
}

test.each([
  ['', 0],
  [' while every tenth answer of Attio is lost', 0.1],
])(
  'kill -9 amid notes, tasks, comments and entries: each request with its key, sent until it is answered, makes one%s',
  async (_, lost) => {
    await using service = await prepareService({
      sandbox: { people: 30, companies: 0, deals: 0, latencyMs: 20 },
    });
    const { sandbox } = service.sandbox;
    service.url = `http://127.0.0.1:${service.env['PORT']}`;
    if (lost > 0) sandbox.addFault({ kind: 'lost-answer', probability: lost });
    const people = [...sandbox.world.object('people').table.inOrder()].map((row) => row.id);
    const wished: Wish[] = [];
    for (let crash = 1; crash <= CRASHES; crash += 1) {
      const child = new ServiceProcess(service.env, WITH_SHORT_LEASE);
      await child.ready(service.url);
      let down = false;
      const sending = Array.from({ length: LANES }, async (_lane, lane) => {
        for (let turn = lane; !down; turn += LANES) {
          const wish = wishOf(`${crash}.${turn}`, people[turn % people.length] ?? '', turn);
          wished.push(wish);
          const answer = await ask(service, wish);
          if (answer !== 200) await new Promise((resolve) => setTimeout(resolve, 250));
        }
      });
      const delay = AbortSignal.timeout(randomInt(20, 2_500));
      await new Promise((resolve) => delay.addEventListener('abort', resolve));
      await child.kill();
      down = true;
      await Promise.all(sending);
    }
    await service.start();
    // Callers send again what was not answered, and may as well send again what was.
    for (const wish of wished) {
      await until(async () => [200, 202].includes(await ask(service, wish)), 60_000);
    }
    await until(async () => (await outbox(service)).pending === 0, 180_000);
    expect((await outbox(service)).dead).toBe(0);

    const made = madeIn(service);
    for (const kind of ['notes', 'tasks', 'comments'] as const) {
      const wanted = wished.filter((wish) => wish.kind === kind).map(({ body }) => String(body['content']));
      expect([kind, made[kind].toSorted()]).toEqual([kind, wanted.toSorted()]);
    }
    const inList = wished
      .filter(({ kind }) => kind === 'entries')
      .map(({ body }) => String(body['recordId']));
    expect(made.entries.toSorted()).toEqual([...new Set([...inList, ...made.seeded])].toSorted());
  },
  300_000,
);

function wishOf(name: string, recordId: string, turn: number): Wish {
  const key = `key-${name}`;
  const content = `Words ${name}`;
  const kinds: readonly Wish[] = [
    { path: '/v1/notes', kind: 'notes', key, body: { recordId, title: 'Note', content } },
    { path: '/v1/tasks', kind: 'tasks', key, body: { content, linkedRecords: [{ recordId }] } },
    {
      path: '/v1/comments',
      kind: 'comments',
      key,
      body: { recordId, content, authorEmail: 'robin@example.com' },
    },
    {
      path: '/v1/pipelines/recruiting/entries',
      kind: 'entries',
      key,
      body: { recordId, stage: 'Applied' },
    },
  ];
  return kinds[turn % kinds.length] ?? (kinds[0] as Wish);
}

/** @returns the status; 0 when there was no answer */
async function ask(service: TestService, { path, key, body }: Wish): Promise<number> {
  const answer = await service
    .call('POST', path, { body, headers: { 'idempotency-key': key } })
    .catch(() => null);
  return answer?.status ?? 0;
}

function madeIn(service: TestService) {
  const { world } = service.sandbox.sandbox;
  const ours = (contents: string[]) => contents.filter((content) => content.startsWith('Words '));
  const list = world.list('recruiting');
  const rows = [...list.table.inOrder()];
  return {
    notes: ours([...world.notes.values()].map(({ content }) => content)),
    tasks: ours([...world.tasks.values()].map(({ content }) => content)),
    comments: ours([...world.comments.values()].map(({ content }) => content)),
    entries: rows.map((row) => row.parent?.recordId ?? ''),
    seeded: rows.filter((row) => row.createdBy.type !== 'api-token').map((row) => row.parent?.recordId ?? ''),
  };
}
