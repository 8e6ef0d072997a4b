import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createLogger } from '../../../src/monitoring/logger.ts';

function setUp() {
  const lines: string[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'debug',
    destination: { write: (line) => lines.push(line) },
  });
  return { logger, text: () => lines.join(''), last: () => JSON.parse(lines.at(-1) ?? 'null') };
}

const SECRET = 'hunter2';

describe('the logger', () => {
  it.each([
    'authorization',
    'Authorization',
    'x-api-key',
    'apiKey',
    'cookie',
    'set-cookie',
    'attio-signature',
    'X-Attio-Signature',
    'access_token',
    'webhookSecret',
    'secrets',
    'password',
    'email',
    'emails',
    'email_addresses',
    'ownerEmail',
    'firstName',
    'last_name',
    'full_name',
    'name',
    'phone',
    'phone_numbers',
    'values',
    'attributes',
    'content',
    'body',
    'payload',
    'data',
    'headers',
    'query',
  ])('never writes what is in "%s", at any depth', (name) => {
    const { logger, text } = setUp();
    for (const found of [SECRET, [SECRET], { inner: SECRET }]) {
      logger.info({ [name]: found });
      logger.info({ a: { [name]: found } });
      logger.info({ a: [{ b: { c: [{ [name]: found }] } }] });
      logger.child({ component: 'x' }).info({ a: { b: { [name]: found } } });
    }
    expect(text()).not.toContain(SECRET);
    expect(text()).toContain('[redacted]');
  });

  it('tells the time to the millisecond, also where a second begins', () => {
    const { logger, last } = setUp();
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    for (const at of [
      '2026-01-01T00:00:00.007Z',
      '2026-01-01T00:00:00.999Z',
      '2026-01-01T00:00:01.000Z',
      '2026-01-01T00:00:00.042Z',
    ]) {
      vi.setSystemTime(new Date(at));
      logger.info('now');
      expect(last()).toMatchObject({ time: at });
    }
  });

  it('keeps what says what happened', () => {
    const { logger, last } = setUp();
    logger.child({ component: 'sync' }).info({ object: 'people', runId: 'r1', seen: 3 }, 'page applied');
    expect(last()).toMatchObject({
      name: 'test',
      component: 'sync',
      object: 'people',
      runId: 'r1',
      seen: 3,
      msg: 'page applied',
    });
  });

  it('redacts the fixed members of a child', () => {
    const { logger, text } = setUp();
    logger.child({ email: SECRET, token: SECRET }).info('hello');
    expect(text()).not.toContain(SECRET);
  });

  it('shows what an error is and its causes, and none of its other members', () => {
    const { logger, last, text } = setUp();
    const cause = Object.assign(new Error('the socket closed'), { code: 'ECONNRESET', request: SECRET });
    const error = Object.assign(new Error('Attio failed', { cause }), {
      kind: 'server_error',
      executionId: 'x-1',
      code: 503,
      parameters: [SECRET],
      response: { values: SECRET },
    });
    logger.error({ err: error }, 'failed');
    const { err } = last();
    expect(Object.keys(err).toSorted()).toEqual([
      'cause',
      'code',
      'executionId',
      'kind',
      'message',
      'name',
      'stack',
    ]);
    expect(err).toMatchObject({ name: 'Error', message: 'Attio failed', kind: 'server_error', code: 503 });
    expect(err.cause).toMatchObject({ message: 'the socket closed', code: 'ECONNRESET' });
    logger.error(error);
    logger.error({ failures: [error] });
    expect(last().failures[0].message).toBe('Attio failed');
    expect(text()).not.toContain(SECRET);
  });

  it('survives circles, errors that are their own cause, and members that are no errors', () => {
    const { logger, last } = setUp();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const error = new Error('round');
    error.cause = error;
    logger.info({ circle, err: error });
    expect(last().err.message).toBe('round');
    logger.info({ err: `thrown text`, bytes: Buffer.from(SECRET), none: null, at: new Date(0) });
    expect(last()).toMatchObject({
      err: 'thrown text',
      bytes: '[7 bytes]',
      none: null,
      at: '1970-01-01T00:00:00.000Z',
    });
  });

  it('shows a request without its query string and headers', () => {
    const { logger, last } = setUp();
    logger.info({
      req: {
        id: '1',
        method: 'GET',
        url: `/v1/contacts?email=${SECRET}`,
        headers: { a: SECRET },
        body: SECRET,
      },
      res: { statusCode: 200, headers: { a: SECRET } },
    });
    expect(last().req).toEqual({ id: '1', method: 'GET', path: '/v1/contacts' });
    expect(last().res).toEqual({ statusCode: 200 });
  });

  it('writes nothing when silent', () => {
    const lines: string[] = [];
    const destination = { write: (line: string) => lines.push(line) };
    createLogger({ name: 'test', level: 'silent', destination }).fatal('hello');
    expect(lines).toEqual([]);
  });
});
