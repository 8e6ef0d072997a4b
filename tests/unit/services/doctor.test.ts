import { describe, expect, it } from 'vitest';
import { AttioApiError } from '../../../src/attio/errors.ts';
import type { DatabaseState, StorageTrouble } from '../../../src/domain/storage.ts';
import { attioTroubleOf } from '../../../src/services/attio-trouble.ts';
import { judgeClock, judgeExternalId } from '../../../src/services/doctor/attio.ts';
import { judgeDatabase } from '../../../src/services/doctor/database.ts';
import { lackingScopes } from '../../../src/services/doctor/scopes.ts';
import { judgeSecret, judgeStatus } from '../../../src/services/doctor/webhook.ts';
import { coverageOf, hashOfSecret, isSameTarget } from '../../../src/services/webhook-registration.ts';

describe('scopes', () => {
  it('read-write includes read', () => {
    const granted =
      'object_configuration:read-write record_permission:read-write list_configuration:read-write list_entry:read-write note:read-write task:read-write comment:read-write user_management:read webhook:read-write';
    expect(lackingScopes(granted)).toEqual([]);
  });

  it('reading alone is told apart from nothing', () => {
    const things = ['record_permission', 'note', 'task', 'comment'];
    const words = (thing: string, granted: string) =>
      lackingScopes(granted).find(({ scope }) => scope.startsWith(thing))?.without;
    for (const thing of things) {
      expect(words(thing, `${thing}:read`)).toContain('cannot be written');
      expect(words(thing, '')).toContain('neither be read nor written');
    }
  });
});

describe('the clock', () => {
  it.each([
    [0, 'ok'],
    [4_999, 'ok'],
    [-5_001, 'warning'],
    [59_000, 'warning'],
    [60_001, 'failed'],
    [-3_600_000, 'failed'],
  ])('%d ms ahead is %s', (aheadMs, status) => {
    expect(judgeClock(aheadMs).status).toBe(status);
  });
});

describe('the attribute that finds deals again', () => {
  const good = { is_unique: true, is_archived: false, type: 'text' };

  it.each([
    [good, 'ok', 'external_id'],
    [undefined, 'failed', 'have no attribute external_id'],
    [{ ...good, is_unique: false }, 'failed', 'is not unique'],
    [{ ...good, is_archived: true }, 'failed', 'is archived'],
    [{ ...good, type: 'number' }, 'failed', 'is of type number'],
  ])('%j is %s', (found, status, words) => {
    const check = judgeExternalId(found, 'external_id');
    expect(check.status).toBe(status);
    expect(check.message).toContain(words);
    expect(check.mend === null).toBe(status === 'ok');
  });
});

describe('the database', () => {
  const good: DatabaseState = { exists: true, pending: [], isOurs: true, workspaceId: null, trouble: null };

  it('is well, yet to be made, or to be migrated', () => {
    expect(judgeDatabase(good)).toMatchObject({ status: 'ok', mend: null });
    expect(judgeDatabase({ ...good, exists: false, isOurs: false, pending: ['001-a'] }).status).toBe(
      'warning',
    );
    expect(judgeDatabase({ ...good, pending: ['007-b'] })).toMatchObject({
      status: 'warning',
      message: expect.stringContaining('007-b'),
    });
  });

  const causes: StorageTrouble[] = [
    'busy',
    'full',
    'no-permission',
    'not-a-database',
    'not-there',
    'read-only',
  ];
  it.each([...causes, 'refused', 'unfit', 'unreachable', 'other'] as const)(
    'names %s, and its mend',
    (cause) => {
      const check = judgeDatabase({ ...good, trouble: { cause, reason: 'as it says' } });
      expect(check.status).toBe('failed');
      expect(check.message).toContain('as it says');
      expect(check.mend).toMatch(/\S/);
    },
  );
});

describe('the webhook', () => {
  const hook = (status: string) => ({
    id: { workspace_id: 'w', webhook_id: 'h' },
    status,
    target_url: 'https://a/webhooks',
  });

  it.each([
    ['active', 'ok'],
    ['degraded', 'warning'],
    ['inactive', 'failed'],
  ])('that is %s is %s', (status, judged) => {
    expect(judgeStatus(hook(status)).status).toBe(judged);
  });

  it('is ours by its address, whatever its query string', () => {
    expect(isSameTarget('https://a.example/webhooks?rotation=1', 'https://a.example/webhooks')).toBe(true);
    expect(isSameTarget('https://a.example/webhooks/', 'https://a.example/webhooks')).toBe(false);
    expect(isSameTarget('https://b.example/webhooks', 'https://a.example/webhooks')).toBe(false);
    expect(isSameTarget('no address', 'https://a.example/webhooks')).toBe(false);
  });

  it('covers what it is subscribed to, but not where a filter holds back or Attio has switched it off', () => {
    const some = { event_type: 'record.created', filter: null };
    const filtered = { event_type: 'record.updated', filter: { $and: [] } };
    const covered = coverageOf([{ status: 'active', subscriptions: [some, filtered] }]);
    expect(covered.filtered).toEqual(['record.updated']);
    expect(covered.missing).toHaveLength(25);
    expect(coverageOf([{ status: 'inactive', subscriptions: [some] }]).missing).toHaveLength(27);
  });
});

describe('the secret', () => {
  const hooks = [{ id: { workspace_id: 'w', webhook_id: 'h' } }];
  const told = (secret: string) => new Map([['h', hashOfSecret(secret)]]);
  const nothing = { hashes: new Map(), acceptedAt: null, refusedAt: null };
  const early = '2026-01-01T00:00:00.000Z';
  const late = '2026-01-01T00:00:01.000Z';

  it.each([
    ['none is set', [], { ...nothing, hashes: told('a') }, 'warning', 'not set'],
    [
      'it was told at registration',
      ['b', 'a'],
      { ...nothing, hashes: told('a') },
      'ok',
      'told at registration',
    ],
    ['another was told', ['b'], { ...nothing, hashes: told('a') }, 'failed', 'does not hold'],
    ['nothing is known', ['a'], nothing, 'warning', 'not known yet'],
    ['there is no database', ['a'], null, 'warning', 'not known yet'],
    ['one was accepted last', ['a'], { ...nothing, refusedAt: early, acceptedAt: late }, 'ok', late],
    [
      'one was refused last',
      ['a'],
      { ...nothing, acceptedAt: early, refusedAt: late },
      'failed',
      'another secret',
    ],
    [
      'one was refused',
      ['a'],
      { hashes: told('a'), acceptedAt: null, refusedAt: late },
      'failed',
      'another secret',
    ],
  ])('where %s', (_where, secrets, trust, status, words) => {
    const [check, ...more] = judgeSecret({ hooks, secrets, trust });
    expect(more).toEqual([]);
    expect(check).toMatchObject({ status, message: expect.stringContaining(words) });
    expect(check?.mend === null).toBe(status === 'ok');
  });
});

describe('what Attio says', () => {
  const endpoint = 'GET /self';

  it('is told with its reason and its mend', () => {
    const refused = new Error('fetch failed', {
      cause: new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]),
    });
    expect(attioTroubleOf(new AttioApiError('network', { endpoint, cause: refused }))).toEqual({
      problem: 'Attio cannot be reached: nothing listens there (ECONNREFUSED)',
      mend: expect.stringContaining('ATTIO_BASE_URL'),
    });
    const certificate = new Error('fetch failed', {
      cause: Object.assign(new Error('y'), { code: 'CERT_HAS_EXPIRED' }),
    });
    expect(attioTroubleOf(new AttioApiError('network', { endpoint, cause: certificate }))?.problem).toContain(
      'CERT_HAS_EXPIRED',
    );
    expect(attioTroubleOf(new AttioApiError('server_error', { endpoint, status: 503 }))?.problem).toContain(
      '503',
    );
    expect(
      attioTroubleOf(new AttioApiError('conflict', { endpoint, detail: 'It is there.' }))?.problem,
    ).toContain('It is there.');
    expect(attioTroubleOf(new Error('ours'))).toBeNull();
  });
});
