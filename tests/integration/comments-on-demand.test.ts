import { afterEach, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { act, addComment, addEntry, asked, living, personId } from '../support/items.ts';
import { startService, type TestService, until } from '../support/service.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const SMALL = { people: 10, companies: 2, deals: 2 };
const THREADS = 'GET /threads';

interface CommentJson {
  readonly content: string;
}

/** No webhook tells of any comment. */
async function start(): Promise<TestService> {
  const service = await startService({ sandbox: SMALL, subscribe: false });
  await service.sync('all');
  return service;
}

async function comments(service: TestService, query: string): Promise<string[]> {
  const { status, body } = await service.get<{ data: CommentJson[] }>(`/v1/comments?${query}`);
  expect(status).toBe(200);
  return body.data.map((comment) => comment.content).toSorted();
}

test('whoever asks for a record for the first time gets what Attio has of it, on several pages', async () => {
  await using service = await start();
  const recordId = personId(service);
  const { threadId } = addComment(service, { recordId }, 'Comment 00');
  addComment(service, { threadId }, 'An answer');
  for (let index = 1; index < 60; index += 1) {
    addComment(service, { recordId }, `Comment ${String(index).padStart(2, '0')}`);
  }
  addComment(service, { recordId: personId(service, 1) }, 'Elsewhere');
  const all = await comments(service, `recordId=${recordId}&limit=1000`);
  expect(all).toHaveLength(61);
  expect([all[0], all[1]]).toEqual(['An answer', 'Comment 00']);
  expect(asked(service, THREADS)).toBe(2);
});

test('many who ask at once cost one reading, and none for the next half minute', async () => {
  await using service = await start();
  const recordId = personId(service);
  addComment(service, { recordId });
  const query = `recordId=${recordId}`;
  await Promise.all(Array.from({ length: 20 }, () => comments(service, query)));
  expect(await comments(service, query)).toEqual(['Interesting']);
  expect(asked(service, THREADS)).toBe(1);
});

test('of an entry are its own, and those of its record are not taken for gone', async () => {
  await using service = await start();
  const recordId = personId(service, 3);
  const entryId = addEntry(service, recordId);
  await service.sync('lists/recruiting');
  addComment(service, { entryId }, 'On the entry');
  addComment(service, { recordId }, 'On the person');
  expect(await comments(service, `entryId=${entryId}`)).toEqual(['On the entry']);
  await comments(service, `recordId=${recordId}`);
  expect(await living(service, 'comments')).toHaveLength(2);
});

test('that are no longer there are marked as gone, the others stay', async () => {
  await using service = await start();
  const recordId = personId(service);
  const gone = addComment(service, { recordId }, 'Gone');
  addComment(service, { recordId }, 'Stays');
  expect(await comments(service, `recordId=${recordId}`)).toEqual(['Gone', 'Stays']);
  act(service, 'DELETE', `/comments/${gone.commentId}`);
  // A process that starts has read no place yet.
  await service.stop();
  await service.start();
  await until(async () => (await comments(service, `recordId=${recordId}`)).join() === 'Stays');
});

test('are answered from the mirror while Attio is down', async () => {
  await using service = await start();
  const recordId = personId(service);
  addComment(service, { recordId });
  const query = `recordId=${recordId}`;
  expect(await comments(service, query)).toEqual(['Interesting']);
  await service.stop();
  await service.start();
  service.sandbox.sandbox.addFault({ kind: 'status', status: 503, match: { path: '/threads' } });
  expect(await comments(service, query)).toEqual(['Interesting']);
});
