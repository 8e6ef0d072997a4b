import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Exchange } from '../../mocks/core/exchange.ts';
import { DEVIATIONS, withDeviations } from '../../mocks/deviations.ts';
import { loadAttioOpenApi } from '../../mocks/openapi-validator.ts';
import { attioRouter } from '../../mocks/routes/index.ts';

const file = new URL('../../../../shared/attio/openapi-api.json', import.meta.url);
const document: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;

const id = crypto.randomUUID();
const object = {
  id: { workspace_id: id, object_id: id },
  api_slug: 'people',
  singular_noun: 'Person',
  plural_noun: 'People',
  created_at: '2026-01-01T00:00:00.000000000Z',
};

function exchange(parts: Partial<Exchange> & { readonly answer?: unknown }): Exchange {
  const { answer = { data: object }, ...rest } = parts;
  return {
    method: 'GET',
    url: '/v2/objects/people',
    requestBody: '',
    status: 200,
    headers: {},
    responseBody: JSON.stringify(answer),
    ...rest,
  };
}

// The vendor's document is not part of this project: without it there is nothing to hold these against.
describe.runIf(document !== null)('against the vendor document', () => {
  const validator = loadAttioOpenApi();
  const check = (parts: Parameters<typeof exchange>[0]) => validator?.check(exchange(parts)) ?? [];

  test('what is right passes', () => {
    expect(check({})).toEqual([]);
    expect(
      check({
        status: 404,
        answer: { status_code: 404, type: 'invalid_request_error', code: 'not_found', message: '' },
      }),
    ).toEqual([]);
  });

  test.each<[string, Parameters<typeof exchange>[0]]>([
    ['a missing member', { answer: { data: { ...object, created_at: undefined } } }],
    ['a wrong type', { answer: { data: { ...object, api_slug: 5 } } }],
    ['a wrong format', { answer: { data: { ...object, id: { workspace_id: 'x', object_id: id } } } }],
    ['an undeclared status', { status: 418 }],
    [
      'an unknown error code',
      { status: 404, answer: { status_code: 404, type: 'invalid_request_error', code: 'nope', message: '' } },
    ],
    ['an unknown route', { url: '/v2/nonsense' }],
    ['no JSON', { responseBody: '<html>' }],
    ['an unknown query parameter', { url: '/v2/objects/people?x=1' }],
    [
      'a body that was accepted though wrong',
      { method: 'POST', url: '/v2/objects', requestBody: '{"data":{}}' },
    ],
    ['no body', { method: 'POST', url: '/v2/objects' }],
    ['a bad path parameter', { url: '/v2/tasks/x' }],
    ['a bad query parameter', { url: '/v2/tasks?sort=nonsense', answer: { data: [] } }],
  ])('%s is reported', (_name, parts) => {
    expect(check(parts)).not.toEqual([]);
  });

  test('every operation has a route, but those of meetings, recordings and SCIM', () => {
    const missing = (validator?.unused() ?? []).filter((name) => {
      const [method = '', path = ''] = name.replace('{target}', 'lists').split(' ');
      return attioRouter.find(method, path.slice('/v2'.length)) === null;
    });
    expect(missing.filter((name) => !/meetings|scim/.test(name))).toEqual([]);
  });

  test('a refused request may be wrong', () => {
    const answer = { status_code: 400, type: 'invalid_request_error', code: 'validation_type', message: '' };
    expect(check({ method: 'POST', url: '/v2/objects', requestBody: '{}', status: 400, answer })).toEqual([]);
  });

  test.each(DEVIATIONS.map((deviation, index) => [deviation.what, index] as const))(
    'needed: %s',
    (_what, index) => {
      const without = structuredClone(document) as Parameters<(typeof DEVIATIONS)[number]['apply']>[0];
      for (const [other, deviation] of DEVIATIONS.entries()) if (other !== index) deviation.apply(without);
      expect(without).not.toEqual(withDeviations(document));
    },
  );
});

test('every deviation says what, why and where it is known from', () => {
  for (const { what, why, source } of DEVIATIONS) {
    expect(what.length * why.length).toBeGreaterThan(0);
    expect(source).toMatch(/§\d|\[/);
  }
});
