import { afterEach, expect, test } from 'vitest';
import type { LoggedRequest } from '../mocks/request-log.ts';
import { ALL_SCOPES } from '../mocks/scopes.ts';
import { list as listOf, post } from '../support/activity.ts';
import { dealInAttio } from '../support/deals.ts';
import { takeViolations } from '../support/exchanges.ts';
import { add, entries, stages } from '../support/pipelines.ts';
import { prepareService, type TestService, until } from '../support/service.ts';
import { person, quiet, startWriting } from '../support/writes.ts';

/** Lists of internal systems never wait for Attio: what they need of its definitions is kept. */

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

function requests(service: TestService, fits: (request: LoggedRequest) => boolean = () => true) {
  return service.sandbox.sandbox.requests().requests.filter(fits);
}

/** The definitions that a start reads in the background are here. */
async function warm(service: TestService): Promise<void> {
  const read = (path: string) =>
    requests(service, (request) => request.path.split('?')[0]?.endsWith(path) === true).length > 0;
  await until(async () => read('/deals/attributes/stage/statuses') && read('/v2/objects'));
  const { id } = service.sandbox.sandbox.world.list('recruiting');
  await until(async () => read(`/lists/${id}/attributes/stage/statuses`));
}

test('what a start has read in the background is shown by the next one, with Attio away', async () => {
  await using service = await startWriting();
  dealInAttio(service);
  await quiet(service);
  await warm(service);
  await service.stop();
  service.sandbox.sandbox.addFault({ kind: 'disconnect' });
  await service.start();
  expect((await stages(service, 'deals')).map(({ title }) => title)).toContain('In Progress');
  expect((await entries(service, 'deals', '?stage=lead')).length).toBeGreaterThan(0);
  expect((await service.get('/v1/pipelines/deals/entries?stage=nope')).status).toBe(422);
  expect((await stages(service, 'recruiting')).map(({ title }) => title)).toContain('Screening');
  expect(await entries(service, 'recruiting', '?stage=offer')).toEqual([]);
  const objects = await service.get<{ data: { api_slug: string }[] }>('/v1/objects');
  expect(objects.body.data.map((object) => object.api_slug)).toContain('deals');
  expect((await service.get('/v1/objects/deals/attributes')).status).toBe(200);
});

test('lists cost Attio no request, however old the definitions are', async () => {
  await using service = await startWriting({
    configure: (config) => ({ ...config, cache: { ...config.cache, schemaTtlSeconds: 0.001 } }),
  });
  const recordId = person(service, { email_addresses: ['ada@engines.example'] });
  await post(service, 'tasks', { content: 'Call', linkedRecords: [{ recordId }] });
  await quiet(service);
  await warm(service);
  service.sandbox.sandbox.addFault({ kind: 'hang' });
  for (const path of [
    '/v1/pipelines/deals',
    '/v1/pipelines/deals/entries?stage=lead',
    '/v1/pipelines/recruiting',
    '/v1/pipelines/recruiting/entries?stage=offer',
    '/v1/objects',
    '/v1/objects/people/attributes',
    '/v1/tasks',
    '/v1/comments',
  ]) {
    const answer = await Promise.race([
      service.get(path),
      new Promise<{ status: string }>((resolve) => setTimeout(resolve, 3_000, { status: 'waits' })),
    ]);
    expect([path, answer.status]).toEqual([path, 200]);
  }
});

test('a token that may not read members is asked for them once, not by every list', async () => {
  await using service = await prepareService({ sandbox: { people: 2, companies: 1, deals: 0 } });
  const scopes = ALL_SCOPES.filter((scope) => !scope.startsWith('user_management'));
  service.sandbox.sandbox.setToken('sandbox-token', true, scopes);
  await service.start();
  await until(async () => requests(service, ({ path }) => path.endsWith('/workspace_members')).length > 0);
  for (let read = 0; read < 5; read += 1) {
    expect(await listOf(service, 'tasks')).toEqual([]);
    expect(await listOf(service, 'comments')).toEqual([]);
  }
  expect(requests(service, ({ path }) => path.endsWith('/workspace_members'))).toHaveLength(1);
});

test('the deals need no list, nor the scope to read any', async () => {
  await using service = await prepareService({ sandbox: { people: 2, companies: 1, deals: 3 } });
  const scopes = ALL_SCOPES.filter((scope) => !scope.startsWith('list_'));
  service.sandbox.sandbox.setToken('sandbox-token', true, scopes);
  await service.start();
  await service.sync('deals');
  for (let read = 0; read < 3; read += 1) {
    const all = await stages(service, 'deals');
    expect(all.reduce((sum, { count }) => sum + count, 0)).toBe(3);
  }
  const recordId = dealInAttio(service);
  await quiet(service);
  expect((await add(service, 'deals', { recordId, stage: 'In Progress' })).status).toBe(200);
  expect(requests(service, ({ path }) => path.endsWith('/v2/lists')).length).toBeLessThanOrEqual(2);
  const none = await service.get<{ detail: string }>('/v1/pipelines/recruiting');
  expect([none.status, none.body.detail]).toEqual([
    503,
    expect.stringMatching(/lists cannot be had now: Attio does not allow this with the token/),
  ]);
});

test('comments on entries of a list that was deleted do not have the lists read anew', async () => {
  await using service = await startWriting();
  const recordId = person(service, { email_addresses: ['ada@engines.example'] });
  const { id } = (await add(service, 'recruiting', { recordId, stage: 'Applied' })).body.data;
  const comment = { list: 'recruiting', entryId: id, content: 'Good', authorEmail: 'robin@example.com' };
  expect((await post(service, 'comments', comment)).status).toBe(200);
  await quiet(service);
  await service.stop();
  // The API cannot delete lists: people can.
  const { world } = service.sandbox.sandbox;
  world.lists.splice(world.lists.indexOf(world.list('recruiting')), 1);
  const asked = () => requests(service, ({ path }) => path.endsWith('/v2/lists')).length;
  const before = asked();
  await service.start();
  await until(async () => asked() > before);
  for (let read = 0; read < 4; read += 1) expect(await listOf(service, 'comments')).toHaveLength(1);
  expect(asked()).toBe(before + 1);
});

test('what was never known is 503 in words, and what needs none of it is answered', async () => {
  await using service = await prepareService({ sandbox: { people: 2, companies: 1, deals: 0 } });
  service.sandbox.sandbox.addFault({ kind: 'disconnect' });
  await service.start();
  for (const [path, what] of [
    ['/v1/pipelines/recruiting', "The workspace's lists"],
    ['/v1/pipelines/deals', "The workspace's lists"],
    ['/v1/objects', "The workspace's objects"],
    ['/v1/objects/people/attributes', "The workspace's objects"],
  ]) {
    const { status, headers, body } = await service.get<{ detail: string }>(path ?? '');
    expect([path, status, Number(headers.get('retry-after')) > 0, body.detail]).toEqual([
      path,
      503,
      true,
      expect.stringMatching(`^${what} cannot be had now: Attio .*\\. Send the request again later\\.$`),
    ]);
    expect(body.detail).not.toMatch(/circuit_open|GET \//);
  }
  expect(await listOf(service, 'tasks')).toEqual([]);
  expect(await listOf(service, 'comments')).toEqual([]);
});
