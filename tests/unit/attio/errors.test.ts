import { describe, expect, it } from 'vitest';
import { errorFromResponse } from '../../../src/attio/error-response.ts';
import { AttioApiError, type AttioErrorKind, ERROR_TRAITS, isAttioError } from '../../../src/attio/errors.ts';

const KEY = 'sekret-key-0123';

function from(status: number, body?: unknown, headers: Record<string, string> = {}): AttioApiError {
  const receivedAtMs = 1_700_000_000_000;
  const received = { endpoint: 'PUT /things', status, headers: new Headers(headers), body, receivedAtMs };
  return errorFromResponse(received, KEY);
}

const attio = (status: number, code: string, message = 'words') => ({
  status_code: status,
  type: 'invalid_request_error',
  code,
  message,
});

describe('what Attio answers', () => {
  it.each<[number, string, AttioErrorKind]>([
    [400, 'validation_type', 'validation'],
    [413, 'validation_type', 'validation'],
    [400, 'missing_value', 'missing_value'],
    [400, 'value_not_found', 'value_not_found'],
    [404, 'value_not_found', 'value_not_found'],
    [400, 'filter_error', 'filter_error'],
    [400, 'uniqueness_conflict', 'uniqueness_conflict'],
    [409, 'uniqueness_conflict', 'uniqueness_conflict'],
    [400, 'multiple_match_results', 'multiple_match_results'],
    [400, 'immutable_value', 'immutable_value'],
    [409, 'concurrent_write_conflict', 'concurrent_write_conflict'],
    [404, 'merge_in_progress', 'merge_in_progress'],
    [400, 'merge_in_progress', 'merge_in_progress'],
    [409, 'slug_conflict', 'conflict'],
    [409, 'something_new', 'conflict'],
    [403, 'billing_error', 'quota'],
    [400, 'quota_exceeded', 'quota'],
    [401, 'unauthorized', 'unauthorized'],
    [403, 'unauthorized', 'forbidden'],
    [404, 'not_found', 'not_found'],
    [400, 'system_edit_unauthorized', 'bad_request'],
    [400, 'particle_gate_violation', 'bad_request'],
    [418, 'never_heard_of', 'bad_request'],
    [429, 'rate_limit_exceeded', 'rate_limited'],
    [500, 'internal', 'server_error'],
    [503, 'validation_type', 'server_error'],
  ])('%i %s is %s', (status, code, kind) => {
    expect(from(status, attio(status, code))).toMatchObject({ kind, status, code });
  });

  it('tells an unknown route from a missing record', () => {
    const body = attio(404, 'not_found', 'Could not find endpoint "GET /v2/objects/people/records".');
    expect(from(404, body).kind).toBe('misrouted');
  });

  it('keeps its words, complaints and execution id', () => {
    const body = {
      ...attio(400, 'validation_type', 'Body payload validation error.'),
      validation_errors: [
        {
          code: 'invalid_type',
          path: ['data', 'values', 0],
          message: 'Required',
          expected: 'x',
          received: 'y',
        },
      ],
    };
    const error = from(400, body, { 'x-attio-execution-id': 'exec-1' });
    expect(error.executionId).toBe('exec-1');
    expect(error.detail).toBe('Body payload validation error.');
    expect(error.validationErrors).toEqual([
      { path: ['data', 'values', '0'], code: 'invalid_type', message: 'Required' },
    ]);
  });

  it('loses our key when it quotes it', () => {
    const body = {
      ...attio(400, 'validation_type', `bad header Bearer ${KEY}`),
      validation_errors: [{ code: KEY, path: [KEY], message: `got ${KEY}` }],
    };
    const error = from(400, body);
    expect(error.kind).toBe('validation');
    expect(error.detail).toBe('bad header Bearer [key]');
    expect(error.validationErrors).toEqual([{ path: ['[key]'], code: '[key]', message: 'got [key]' }]);
  });

  it('is not garbled for the sake of a key that is none', () => {
    const received = { endpoint: 'GET /x', status: 404, headers: new Headers(), receivedAtMs: 0 };
    const error = errorFromResponse({ ...received, body: attio(404, 'not_found', 'an unknown thing') }, 'n');
    expect([error.kind, error.detail]).toEqual(['not_found', 'an unknown thing']);
  });

  it('tells when to come again', () => {
    expect(from(429, attio(429, 'rate_limit_exceeded'), { 'retry-after': '3' }).retryAfterMs).toBe(3000);
  });
});

describe('what is not in Attio’s words', () => {
  it.each<[number, AttioErrorKind]>([
    [301, 'misrouted'],
    [304, 'misrouted'],
    [400, 'bad_request'],
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [404, 'misrouted'],
    [407, 'misrouted'],
    [408, 'timeout'],
    [409, 'conflict'],
    [413, 'bad_request'],
    [429, 'rate_limited'],
    [502, 'server_error'],
    [520, 'server_error'],
  ])('%i is %s', (status, kind) => {
    expect(from(status, undefined)).toMatchObject({ kind, status, code: null });
  });

  it.each([
    [null],
    ['text'],
    [[]],
    [{ code: 7, message: {} }],
    [{ code: 'not_found', validation_errors: 'x' }],
  ])('is tolerated: %j', (body) => {
    expect(from(500, body).kind).toBe('server_error');
  });
});

describe('an error', () => {
  const secretive = new AttioApiError('uniqueness_conflict', {
    endpoint: 'POST /objects/{object}/records',
    status: 400,
    code: 'uniqueness_conflict',
    detail: 'The value "jane@example.com" conflicts with one already in the system',
    validationErrors: [{ path: ['data'], code: 'custom', message: 'jane@example.com' }],
    cause: new Error('underneath'),
  });

  it('shows no value to loggers and JSON', () => {
    const shown = [
      secretive.message,
      String(secretive),
      secretive.stack,
      JSON.stringify(secretive),
      JSON.stringify({ ...secretive }),
      JSON.stringify(Object.getOwnPropertyNames(secretive).map((name) => Reflect.get(secretive, name))),
    ];
    expect(shown.join('\n')).not.toContain('jane@example.com');
    expect(secretive.message).toBe(
      'POST /objects/{object}/records: uniqueness_conflict (400 uniqueness_conflict)',
    );
  });

  it('keeps its cause, and Attio’s words for the one who asked', () => {
    expect(secretive.cause).toMatchObject({ message: 'underneath' });
    expect(secretive.detail).toContain('jane@example.com');
    expect(secretive.validationErrors).toHaveLength(1);
  });

  it('is told by its kind', () => {
    expect(isAttioError(secretive)).toBe(true);
    expect(isAttioError(secretive, 'not_found', 'uniqueness_conflict')).toBe(true);
    expect(isAttioError(secretive, 'not_found')).toBe(false);
    expect(isAttioError(new Error('other'))).toBe(false);
  });
});

describe('the table of traits', () => {
  const kindsWith = (trait: 'final' | 'outage' | 'configuration') =>
    Object.entries(ERROR_TRAITS)
      .filter(([, traits]) => traits[trait])
      .map(([kind]) => kind)
      .sort();

  it('says what is for good', () => {
    expect(kindsWith('final')).toEqual(
      [
        'bad_request',
        'conflict',
        'filter_error',
        'immutable_value',
        'missing_value',
        'multiple_match_results',
        'not_found',
        'uniqueness_conflict',
        'validation',
        'value_not_found',
      ].sort(),
    );
  });

  it('says what is nobody’s fault', () => {
    expect(kindsWith('outage')).toEqual(
      [
        'circuit_open',
        'invalid_response',
        'lane_full',
        'not_in_charge',
        'network',
        'rate_limited',
        'server_error',
        'timeout',
      ].sort(),
    );
  });

  it('says what a person must mend', () => {
    expect(kindsWith('configuration')).toEqual(
      ['forbidden', 'misrouted', 'quota', 'token_inactive', 'unauthorized'].sort(),
    );
  });

  it('never says two of them of one kind', () => {
    for (const traits of Object.values(ERROR_TRAITS)) {
      const said = [traits.final, traits.outage, traits.configuration].filter(Boolean);
      expect(said.length).toBeLessThanOrEqual(1);
    }
  });
});
