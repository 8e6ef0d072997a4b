import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, test } from 'vitest';
import type { Change } from '../../../../src/domain/changes.ts';
import { endpointOf, messageOf, Signer } from '../../../../src/services/change-webhooks/message.ts';
import {
  judgeAnswer,
  judgeError,
  retryInMs,
  TimeLimitError,
} from '../../../../src/services/change-webhooks/outcome.ts';
import { isPushable } from '../../../../src/services/change-webhooks/pushable.ts';

const RETRY_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
const NOW = Date.parse('2026-01-01T00:00:00.000Z');

describe('an answer', () => {
  const judged = (status: number, headers: Record<string, string> = {}) =>
    judgeAnswer({ status, headers: new Headers(headers) }, NOW);

  it.each([200, 201, 202, 204, 299])('%d is taken', (status) => {
    expect(judged(status)).toEqual({ kind: 'delivered' });
  });

  it('410 is the end', () => {
    expect(judged(410)).toEqual({ kind: 'gone' });
  });

  it.each([
    [100, 'answered 100', false],
    [301, 'answered 301; redirects are not followed', false],
    [400, 'answered 400', false],
    [404, 'answered 404', false],
    [429, 'answered 429', true],
    [500, 'answered 500', false],
    [503, 'answered 503', true],
  ])('%d is tried again', (status, error, busy) => {
    expect(judged(status)).toEqual({ kind: 'failed', error, retryAfterMs: null, busy });
  });

  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:02:00 GMT', 120_000],
    ['0', 1_000],
    ['31536000', 86_400_000],
    ['soon', null],
  ])('is tried again as Retry-After: %s asks, a day at most', (text, retryAfterMs) => {
    expect(judged(503, { 'retry-after': text })).toMatchObject({ retryAfterMs });
  });
});

describe('no answer', () => {
  it.each([
    [Object.assign(new Error('connect ECONNREFUSED 10.0.0.1:443'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
    [new TypeError('https://a.example.com/?token=hidden'), 'TypeError'],
    ['nothing', null],
  ])('is told without the address: %s', (error, code) => {
    const told = code === null ? 'could not be reached' : `could not be reached (${code})`;
    expect(judgeError(error)).toMatchObject({ kind: 'failed', error: told });
  });

  it('in time is told as that', () => {
    expect(judgeError(new TimeLimitError(15_000))).toMatchObject({ error: 'did not answer within 15 s' });
  });
});

describe('the schedule', () => {
  test('is as it is written, up to a tenth longer, and never sooner than was asked', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.option(fc.integer({ min: 0, max: 86_400_000 }), { nil: null }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (attempts, asked, random) => {
          const waitMs = retryInMs(attempts, RETRY_SECONDS, asked, random);
          const written = RETRY_SECONDS[attempts - 1];
          if (written === undefined) {
            expect(waitMs).toBeNull();
            return;
          }
          expect(waitMs).toBeGreaterThanOrEqual(Math.max(written * 1_000, asked ?? 0));
          expect(waitMs).toBeLessThanOrEqual(Math.max(written * 1_100, asked ?? 0));
        },
      ),
    );
  });

  test('ends after as many waits as are written', () => {
    expect(retryInMs(9, RETRY_SECONDS, null, 0)).toBe(86_400_000);
    expect(retryInMs(10, RETRY_SECONDS, null, 0)).toBeNull();
  });
});

describe('before the first full sync has ended', () => {
  const syncs = new Map([
    ['people', 10],
    ['lists/list-1', 20],
    ['notes', 30],
  ]);
  const change = { seq: 25, object: 'people', listId: null };
  const rules = { firstSyncs: false, activity: true };

  it.each([
    ['record.created', {}, true],
    ['record.created', { seq: 10 }, false],
    ['record.created', { seq: 11 }, true],
    ['record.updated', { object: 'companies' }, false],
    ['entry.created', { listId: 'list-1' }, true],
    ['entry.created', { seq: 20, listId: 'list-1' }, false],
    ['entry.created', { listId: 'list-2' }, false],
    ['entry.deleted', { listId: null }, true],
    ['note.created', {}, false],
    ['note.created', { seq: 31 }, true],
    ['task.created', {}, false],
    ['comment.created', { object: 'companies' }, true],
  ])('%s %j is pushed: %s', (type, more, isPushed) => {
    expect(isPushable({ ...change, type, ...more }, syncs, rules)).toBe(isPushed);
  });

  it('everything is pushed where the configuration says so', () => {
    const all = { ...rules, firstSyncs: true };
    expect(isPushable({ ...change, type: 'record.created', object: 'deals' }, new Map(), all)).toBe(true);
  });

  it('notes and tasks that have no full sync wait for none', () => {
    const without = { ...rules, activity: false };
    for (const type of ['note.created', 'task.created']) {
      expect(isPushable({ ...change, type }, new Map(), without)).toBe(true);
    }
  });
});

describe('a message', () => {
  const CHANGE: Change = {
    seq: 42,
    type: 'record.updated',
    object: 'people',
    id: 'a',
    source: 'attio',
    changed: ['title'],
    at: '2026-01-01T00:00:00.000Z',
    data: { values: { title: 'Ä' } },
  };
  const show = ({ seq, id }: Change) => ({ seq, id });

  test('has the same id each time, and another one for another change in the same place', () => {
    const first = messageOf(CHANGE, show);
    expect(messageOf(structuredClone(CHANGE), show)).toEqual(first);
    expect(first.id).toMatch(/^chg_42_[\da-f]{16}$/);
    expect(messageOf({ ...CHANGE, at: '2026-01-01T00:00:00.001Z' }, show).id).not.toBe(first.id);
    // What is erased keeps its id: it is the same change.
    expect(messageOf({ ...CHANGE, data: { erased: true } }, show).id).toBe(first.id);
  });

  test('is signed so that each secret verifies it, and no other', () => {
    const secrets = [1, 2].map((byte) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`);
    const message = messageOf(CHANGE, () => ({ text: 'Ä' }));
    const headers = new Signer(secrets).headers(message, Date.now());
    for (const secret of secrets) {
      expect(new Webhook(secret).verify(message.body, headers)).toEqual({
        type: 'record.updated',
        timestamp: CHANGE.at,
        data: { text: 'Ä' },
      });
    }
    const other = new Webhook(`whsec_${Buffer.alloc(32, 3).toString('base64')}`);
    expect(() => other.verify(message.body, headers)).toThrow('No matching signature found');
    expect(() => new Webhook(secrets[0] ?? '').verify(`${message.body} `, headers)).toThrow();
  });

  test('goes to an address whose id does not tell it', () => {
    const one = endpointOf('https://hooks.example.com/in?token=hidden');
    expect(one).toMatchObject({ host: 'hooks.example.com', id: expect.stringMatching(/^[\da-f]{16}$/) });
    expect(endpointOf('https://hooks.example.com/in?token=other').id).not.toBe(one.id);
    expect(endpointOf('https://HOOKS.example.com:443/in?token=hidden').id).toBe(one.id);
  });
});
