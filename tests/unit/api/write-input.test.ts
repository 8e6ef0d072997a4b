/** Everything that is wrong in itself: refused with a problem that names the member, before any service is asked. */
import { describe, expect, it } from 'vitest';
import { AUTHORIZED, createTestServer, ID } from './support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const MIB = 1024 * 1024;

/** No service is faked: a request that reaches one is a 500. */
function put(url: string, payload: string | Buffer | object, headers: Record<string, string> = JSON_TYPE) {
  const { app } = createTestServer();
  return app.inject({ method: 'PUT', url, payload, headers: { ...AUTHORIZED, ...headers } });
}

async function refusal(url: string, payload: string | Buffer | object) {
  const response = await put(url, payload);
  expect(response.headers['content-type']).toBe('application/problem+json');
  expect(response.json()).toMatchObject({ title: 'Bad Request', status: 400, instance: url });
  expect(response.statusCode).toBe(400);
  return response.json();
}

const MISSING = /^is missing: it is what the record is found by$/;
const EMAIL = /^is not one e-mail address such as ada@example\.com$/;
const DOMAIN =
  /^is not a plain domain such as example\.com: send it without scheme, path or port, an international one as xn--…$/;
const CONTROL = /control character, such as a line break: take it out/;
const PHONE = /^is not a phone number such as/;
const TEXT = /^must be text, or null to clear it$/;

describe('a contact', () => {
  it.each<[unknown, string, RegExp]>([
    // the whole
    [[], '', /object with at least email/],
    ['text', '', /object with at least email/],
    [7, '', /object with at least email/],
    [null, '', /object with at least email/],
    [{}, '/email', MISSING],
    [{ mail: 'a@b.co', email: 'a@b.co' }, '/mail', /^is not known here$/],
    [{ email: 'a@b.co', emails: ['a@b.co'] }, '/emails', /^is not known here$/],
    [{ email: 'a@b.co', 'a/b~c': 1 }, '/a~1b~0c', /^is not known here$/],
    [{ email: 'a@b.co', recordId: ID }, '/recordId', /^is not known here$/],
    [{ email: 'a@b.co', 'Content-Type': 'x' }, '/Content-Type', /^is not known here$/],
    // e-mail
    [{ email: null }, '/email', EMAIL],
    [{ email: 7 }, '/email', EMAIL],
    [{ email: ['a@b.co'] }, '/email', EMAIL],
    [{ email: '' }, '/email', EMAIL],
    [{ email: 'nobody' }, '/email', EMAIL],
    [{ email: 'a@b' }, '/email', EMAIL],
    [{ email: '@example.com' }, '/email', EMAIL],
    [{ email: 'a@@example.com' }, '/email', EMAIL],
    [{ email: 'a@.com' }, '/email', EMAIL],
    [{ email: 'a@example.com.' }, '/email', EMAIL],
    [{ email: 'a@-example.com' }, '/email', EMAIL],
    [{ email: 'a@exa_mple.com' }, '/email', EMAIL],
    [{ email: 'a@127.0.0.1' }, '/email', EMAIL],
    [{ email: 'a@bücher.example' }, '/email', EMAIL],
    [{ email: ' a@example.com' }, '/email', EMAIL],
    [{ email: 'a@example.com ' }, '/email', EMAIL],
    [{ email: 'a b@example.com' }, '/email', EMAIL],
    [{ email: 'a@example.com, b@example.com' }, '/email', EMAIL],
    [{ email: 'Ada <a@example.com>' }, '/email', EMAIL],
    [{ email: '"a b"@example.com' }, '/email', EMAIL],
    [{ email: 'mailto:a@example.com' }, '/email', EMAIL],
    [{ email: 'a@example.com\r\nBcc: b@example.com' }, '/email', EMAIL],
    [{ email: 'a\u0001@example.com' }, '/email', EMAIL],
    [{ email: 'a\u0085@example.com' }, '/email', EMAIL],
    [{ email: `${'l'.repeat(65)}@example.com` }, '/email', EMAIL],
    [{ email: `a@${'d'.repeat(64)}.example` }, '/email', EMAIL],
    [{ email: `a@${'d.'.repeat(130)}example` }, '/email', EMAIL],
    // one-line texts
    [{ email: 'a@b.co', firstName: 7 }, '/firstName', TEXT],
    [{ email: 'a@b.co', firstName: ['Ada'] }, '/firstName', TEXT],
    [{ email: 'a@b.co', firstName: '' }, '/firstName', /^is blank: send null to clear it$/],
    [{ email: 'a@b.co', lastName: ' \u00a0' }, '/lastName', /^is blank: send null to clear it$/],
    [{ email: 'a@b.co', firstName: 'Ada\r\nSet-Cookie: a=b' }, '/firstName', CONTROL],
    [{ email: 'a@b.co', lastName: 'L\tL' }, '/lastName', CONTROL],
    [{ email: 'a@b.co', jobTitle: 'a\u001b[31m' }, '/jobTitle', CONTROL],
    [{ email: 'a@b.co', jobTitle: 'a\u2028b' }, '/jobTitle', CONTROL],
    [{ email: 'a@b.co', externalId: 'a\u007f' }, '/externalId', CONTROL],
    [{ email: 'a@b.co', externalId: '' }, '/externalId', /blank/],
    [{ email: 'a@b.co', externalId: 7 }, '/externalId', TEXT],
    [{ email: 'a@b.co', externalId: 'x'.repeat(201) }, '/externalId', /longer than 200 characters/],
    [{ email: 'a@b.co', firstName: 'x'.repeat(1001) }, '/firstName', /longer than 1000 characters/],
    // phone
    [{ email: 'a@b.co', phone: 15550100 }, '/phone', /^must be a phone number, \{"replace"/],
    [{ email: 'a@b.co', phone: ['+15550100'] }, '/phone', /^must be a phone number, \{"replace"/],
    [{ email: 'a@b.co', phone: {} }, '/phone', /^must be a phone number, \{"replace"/],
    [{ email: 'a@b.co', phone: { replace: '+15550100' } }, '/phone', /^must be a phone number/],
    [{ email: 'a@b.co', phone: { replace: [], add: [] } }, '/phone/add', /^is not known here$/],
    [{ email: 'a@b.co', phone: '' }, '/phone', PHONE],
    [{ email: 'a@b.co', phone: '+1' }, '/phone', PHONE],
    [{ email: 'a@b.co', phone: 'call me' }, '/phone', PHONE],
    [{ email: 'a@b.co', phone: '+15550100\n' }, '/phone', PHONE],
    [{ email: 'a@b.co', phone: '+1555;0100' }, '/phone', PHONE],
    [{ email: 'a@b.co', phone: '1'.repeat(51) }, '/phone', /longer than the 50 characters/],
    [{ email: 'a@b.co', phone: { replace: ['+15550100', 'x'] } }, '/phone/replace/1', PHONE],
    [
      { email: 'a@b.co', phone: { replace: Array(51).fill('+15550100') } },
      '/phone',
      /with at most 50 of them/,
    ],
    // company
    [{ email: 'a@b.co', company: 'example.com' }, '/company', /^must be \{"domain":…\} or \{"recordId":…\}/],
    [{ email: 'a@b.co', company: {} }, '/company', /^must be \{"domain":…\} or/],
    [{ email: 'a@b.co', company: { domain: 'a.example', recordId: ID } }, '/company', /^must be \{"domain"/],
    [{ email: 'a@b.co', company: { domain: 'https://a.example' } }, '/company/domain', DOMAIN],
    [{ email: 'a@b.co', company: { recordId: 'x' } }, '/company/recordId', /not an Attio record id/],
    // attributes
    [{ email: 'a@b.co', attributes: [] }, '/attributes', /^must be an object/],
    [{ email: 'a@b.co', attributes: null }, '/attributes', /^must be an object/],
    [{ email: 'a@b.co', attributes: { 'Job Title': 1 } }, '/attributes', /"Job Title", which is no slug/],
    [{ email: 'a@b.co', attributes: { '': 1 } }, '/attributes', /"", which is no slug/],
    [{ email: 'a@b.co', attributes: { name: 'x' } }, '/attributes/name', /send it as firstName and lastName/],
    [{ email: 'a@b.co', attributes: { job_title: 'x' } }, '/attributes/job_title', /send it as jobTitle/],
    [{ email: 'a@b.co', attributes: { company: ID } }, '/attributes/company', /send it as company/],
    [{ email: 'a@b.co', attributes: { record_id: ID } }, '/attributes/record_id', /cannot be written: leave/],
    [{ email: 'a@b.co', attributes: { created_at: 'x' } }, '/attributes/created_at', /cannot be written/],
    [{ email: 'a@b.co', attributes: { created_by: null } }, '/attributes/created_by', /cannot be written/],
    [
      { email: 'a@b.co', phone: null, attributes: { phone_numbers: [] } },
      '/attributes/phone_numbers',
      /says the same as phone: send one of the two/,
    ],
    [{ email: 'a@b.co', attributes: { a: 1e15 + 1 } }, '/attributes/a', /number beyond/],
    [{ email: 'a@b.co', attributes: { a: [1, { b: -1e16 }] } }, '/attributes/a/1/b', /number beyond/],
    [{ email: 'a@b.co', attributes: { a: Array(101).fill(1) } }, '/attributes/a', /more than 100 values/],
    [{ email: 'a@b.co', attributes: { a: [[[[[1]]]]] } }, '/attributes/a/0/0/0/0', /deeper than 4 levels/],
    [{ email: 'a@b.co', attributes: { a: { replace: 'x' } } }, '/attributes/a/replace', /must be a list/],
    [
      { email: 'a@b.co', attributes: { a: { replace: [], b: 1 } } },
      '/attributes/a',
      /members beside replace/,
    ],
    [
      { email: 'a@b.co', attributes: { a: { replace: Array(101).fill(1) } } },
      '/attributes/a/replace',
      /more than 100 values/,
    ],
    [
      {
        email: 'a@b.co',
        attributes: Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`a${n}`, 1])),
      },
      '/attributes',
      /more than 100 attributes: send fewer/,
    ],
  ])('%j is 400 at %s', async (body, path, message) => {
    const problem = await refusal('/v1/contacts', JSON.stringify(body));
    expect(problem.errors.map((error: { path: string }) => error.path)).toContain(path);
    expect(problem.errors[0].message).toMatch(message);
    expect(problem.detail).toMatch(/^Mend the request: /);
  });

  it('names every member that is wrong, and no more than twenty', async () => {
    const several = await refusal('/v1/contacts', { email: 'x', firstName: '', nope: 1, phone: 'x' });
    const paths = several.errors.map((error: { path: string }) => error.path);
    expect(paths.toSorted()).toEqual(['/email', '/firstName', '/nope', '/phone']);
    const unknown = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`member${n}`, 1]));
    expect((await refusal('/v1/contacts', { email: 'a@b.co', ...unknown })).errors).toHaveLength(20);
    const attributes = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`a${n}`, 1e16]));
    expect((await refusal('/v1/contacts', { email: 'a@b.co', attributes })).errors).toHaveLength(20);
  });
});

describe('a company', () => {
  it.each<[unknown, string, RegExp]>([
    [{}, '/domain', MISSING],
    [[], '', /object with at least domain/],
    [{ domain: 7 }, '/domain', DOMAIN],
    [{ domain: '' }, '/domain', DOMAIN],
    [{ domain: 'nodot' }, '/domain', DOMAIN],
    [{ domain: 'https://example.com' }, '/domain', DOMAIN],
    [{ domain: 'example.com/path' }, '/domain', DOMAIN],
    [{ domain: 'example.com:443' }, '/domain', DOMAIN],
    [{ domain: 'example.com?a=b' }, '/domain', DOMAIN],
    [{ domain: 'user@example.com' }, '/domain', DOMAIN],
    [{ domain: '.example.com' }, '/domain', DOMAIN],
    [{ domain: 'example..com' }, '/domain', DOMAIN],
    [{ domain: 'example.com.' }, '/domain', DOMAIN],
    [{ domain: '-a.example' }, '/domain', DOMAIN],
    [{ domain: 'a_b.example' }, '/domain', DOMAIN],
    [{ domain: 'bücher.example' }, '/domain', DOMAIN],
    [{ domain: '192.168.0.1' }, '/domain', DOMAIN],
    [{ domain: '[::1]' }, '/domain', DOMAIN],
    [{ domain: 'example.com\r\nHost: evil' }, '/domain', DOMAIN],
    [{ domain: ' example.com' }, '/domain', DOMAIN],
    [{ domain: `${'d'.repeat(64)}.example` }, '/domain', DOMAIN],
    [{ domain: `${'d.'.repeat(130)}example` }, '/domain', /longer than the 253 characters/],
    [{ domain: 'a.example', name: '' }, '/name', /blank: send null/],
    [{ domain: 'a.example', name: 'A\nB' }, '/name', CONTROL],
    [{ domain: 'a.example', name: {} }, '/name', TEXT],
    [{ domain: 'a.example', externalId: '\t' }, '/externalId', CONTROL],
    [{ domain: 'a.example', domains: [] }, '/domains', /^is not known here$/],
    [{ domain: 'a.example', attributes: { name: 'x' } }, '/attributes/name', /send it as name/],
    [{ domain: 'a.example', attributes: { created_at: 1 } }, '/attributes/created_at', /cannot be written/],
  ])('%j is 400 at %s', async (body, path, message) => {
    const problem = await refusal('/v1/companies', JSON.stringify(body));
    expect(problem.errors.map((error: { path: string }) => error.path)).toContain(path);
    expect(problem.errors[0].message).toMatch(message);
  });
});

describe.each(['/v1/contacts', '/v1/companies'])('PUT %s', (url) => {
  it.each<[string, string | Buffer, string, RegExp]>([
    ['no JSON', '{', '', /not JSON in UTF-8/],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), '', /not JSON in UTF-8/],
    ['a NUL', '{"name":"a\\u0000"}', '/name', /NUL character/],
    ['a lone surrogate', '{"email":"\\ud800@example.com"}', '/email', /lone surrogate/],
    ['a lone surrogate in a name', '{"attributes":{"\\udc00":1}}', '/attributes', /lone surrogate/],
    ['__proto__', '{"__proto__":{"admin":true}}', '', /__proto__/],
    ['__proto__ among attributes', '{"attributes":{"__proto__":1}}', '/attributes', /__proto__/],
    ['a constructor with a prototype', '{"constructor":{"prototype":{}}}', '', /constructor\.prototype/],
    ['a number beyond numbers', '{"attributes":{"a":1e999}}', '/attributes/a', /number too large/],
    ['a text that is too long', `{"attributes":{"a":"${'x'.repeat(1001)}"}}`, '/attributes/a', /1000/],
    ['too much depth', `{"attributes":${'['.repeat(30)}${']'.repeat(30)}}`, '', /nested deeper than 20/],
  ])('with %s is 400', async (_what, payload, path, message) => {
    const problem = await refusal(url, payload);
    expect(problem.errors[0].path.startsWith(path)).toBe(true);
    expect(problem.errors[0].message).toMatch(message);
  });

  it('without a body is 400 and says what is needed', async () => {
    for (const headers of [{}, JSON_TYPE]) {
      const response = await put(url, '', headers);
      expect(response.statusCode).toBe(400);
      expect(response.json().errors[0]).toMatchObject({
        path: '',
        message: expect.stringMatching(/at least/),
      });
    }
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'of %s is 415',
    async (type) => {
      const response = await put(url, '{"email":"a@b.co"}', { 'content-type': type });
      expect(response.statusCode).toBe(415);
      expect(response.json().detail).toContain('application/json');
    },
  );

  it('of two mebibytes is 413 and says how much is taken', async () => {
    const response = await put(url, JSON.stringify({ email: 'x'.repeat(2 * MIB) }));
    expect(response.statusCode).toBe(413);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(response.json().detail).toContain('(1 MiB)');
  });

  it('with an unknown parameter is 400', async () => {
    const body = url === '/v1/contacts' ? { email: 'a@b.example' } : { domain: 'b.example' };
    const response = await put(`${url}?upsert=true`, body);
    expect(response.json().errors).toEqual([{ path: 'upsert', message: 'is not known here' }]);
  });
});
