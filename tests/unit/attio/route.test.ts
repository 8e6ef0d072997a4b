import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { route } from '../../../src/attio/route.ts';

describe('a route', () => {
  it('fills its template in', () => {
    expect(route('GET /objects/{object}/records/{record_id}', { object: 'people', record_id: 'r1' })).toEqual(
      {
        method: 'GET',
        path: '/objects/people/records/r1',
        endpoint: 'GET /objects/{object}/records/{record_id}',
      },
    );
  });

  it('never lets a part leave its segment, whatever it is', () => {
    const base = 'https://attio.test/v2';
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('.', '..', '%2e%2e', '../self', 'a/b', '?x=1', '#x', '\r\nx: y', '\\..\\', 'ä ö'),
    );
    fc.assert(
      fc.property(part, (slug) => {
        let path: string;
        try {
          ({ path } = route('GET /objects/{object}/records', { object: slug }));
        } catch (error) {
          expect(error).toMatchObject({ kind: 'validation', status: null });
          return;
        }
        const url = new URL(base + path);
        const [empty, v2, objects, segment = '', records, ...rest] = url.pathname.split('/');
        expect([empty, v2, objects, records, rest]).toEqual(['', 'v2', 'objects', 'records', []]);
        expect([url.search, url.hash, url.host]).toEqual(['', '', 'attio.test']);
        expect(decodeURIComponent(segment)).toBe(slug);
      }),
    );
  });

  it.each(['', '.', '..', '\ud800'])('refuses %j without quoting it', (object) => {
    const refuse = () => route('GET /objects/{object}', { object });
    expect(refuse).toThrow(
      expect.objectContaining({ kind: 'validation', endpoint: 'GET /objects/{object}' }),
    );
  });
});
