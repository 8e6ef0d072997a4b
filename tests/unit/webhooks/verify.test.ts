import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SignatureVerifier } from '../../../src/webhooks/verify.ts';

const BODY = Buffer.from('{"webhook_id":"w","events":[]}');
const sign = (body: Buffer, secret: string) => createHmac('sha256', secret).update(body).digest('hex');
const GOOD = sign(BODY, 'current');

describe('a signature', () => {
  const verifier = new SignatureVerifier(['current', 'next']);

  test.each([
    ['in Attio-Signature', { attio: GOOD, xAttio: undefined }],
    ['in X-Attio-Signature', { attio: undefined, xAttio: GOOD }],
    ['in both, agreeing', { attio: GOOD, xAttio: GOOD }],
    ['under the secret that is being rotated in', { attio: sign(BODY, 'next'), xAttio: undefined }],
  ])('%s is accepted', (_, headers) => {
    expect(verifier.verify(BODY, headers)).toBe(true);
  });

  test.each([
    ['missing', { attio: undefined, xAttio: undefined }],
    ['empty', { attio: '', xAttio: undefined }],
    ['of another body', { attio: sign(Buffer.from('{}'), 'current'), xAttio: undefined }],
    ['under a wrong secret', { attio: sign(BODY, 'wrong'), xAttio: undefined }],
    ['truncated', { attio: GOOD.slice(0, 62), xAttio: undefined }],
    ['of odd length', { attio: GOOD.slice(0, 63), xAttio: undefined }],
    ['too long', { attio: `${GOOD}00`, xAttio: undefined }],
    ['not hex', { attio: 'z'.repeat(64), xAttio: undefined }],
    ['sent twice', { attio: `${GOOD}, ${GOOD}`, xAttio: undefined }],
    ['in both headers, disagreeing', { attio: GOOD, xAttio: sign(BODY, 'wrong') }],
    ['good in one header, empty in the other', { attio: '', xAttio: GOOD }],
    [
      'with a folklore timestamp',
      { attio: sign(Buffer.from(`1700000000.${BODY}`), 'current'), xAttio: undefined },
    ],
  ])('%s is refused', (_, headers) => {
    expect(verifier.verify(BODY, headers)).toBe(false);
  });

  test('of any text never throws and is never accepted', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(verifier.verify(BODY, { attio: text, xAttio: undefined })).toBe(false);
      }),
    );
  });

  test('without any secret nothing is accepted', () => {
    expect(new SignatureVerifier([]).verify(BODY, { attio: GOOD, xAttio: undefined })).toBe(false);
    expect(new SignatureVerifier([]).configured).toBe(false);
  });
});
