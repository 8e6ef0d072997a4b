import { describe, expect, it } from 'vitest';
import { createSandbox } from '../../mocks/sandbox.ts';

const headers = { authorization: 'Bearer limited', 'content-type': 'application/json' };

async function ask(scopes: readonly string[], method: string, path: string) {
  const sandbox = createSandbox();
  sandbox.setToken('limited', true, scopes);
  const answer = await sandbox.handle(
    new Request(`http://sandbox/v2${path}`, {
      method,
      headers,
      ...(method === 'POST' ? { body: '{}' } : {}),
    }),
  );
  if (!(answer instanceof Response)) throw new Error('no answer');
  return {
    status: answer.status,
    body: JSON.parse(await answer.text()) as { scope?: string; message?: string },
  };
}

describe('a token with a list of scopes', () => {
  it('tells them in /self', async () => {
    const { body } = await ask(['note:read', 'task:read-write'], 'GET', '/self');
    expect(body.scope).toBe('note:read task:read-write');
  });

  it.each([
    ['GET', '/objects', ['object_configuration:read']],
    ['GET', '/objects', ['object_configuration:read-write']],
    ['POST', '/objects/people/records/query', ['object_configuration:read', 'record_permission:read']],
    ['GET', '/webhooks', ['webhook:read']],
    ['GET', '/lists', ['list_configuration:read']],
  ])('may %s %s with %j', async (method, path, scopes) => {
    expect((await ask(scopes, method, path)).status).toBe(200);
  });

  it.each([
    ['GET', '/objects', [], 'object_configuration:read'],
    ['POST', '/objects/people/records/query', ['object_configuration:read'], 'record_permission:read'],
    [
      'POST',
      '/objects/people/records',
      ['object_configuration:read', 'record_permission:read'],
      'record_permission:read-write',
    ],
    ['POST', '/webhooks', ['webhook:read'], 'webhook:read-write'],
    ['DELETE', '/tasks/00000000-0000-4000-8000-000000000000', ['task:read'], 'task:read-write'],
    [
      'GET',
      '/tasks',
      ['task:read-write'],
      'object_configuration:read, record_permission:read, user_management:read',
    ],
  ])('may not %s %s with %j', async (method, path, scopes, lacking) => {
    const { status, body } = await ask(scopes, method, path);
    expect(status).toBe(403);
    expect(body.message).toContain(`requires: ${lacking}.`);
  });
});
