import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Hmac } from '../../../src/webhooks/hmac.ts';

test('is that of the RFC', () => {
  // RFC 4231, test case 2.
  expect(new Hmac('Jefe').of(Buffer.from('what do ya want for nothing?'))).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  );
});

test('is what the crypto library makes, of any secret and body', () => {
  const body = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(body, { maxLength: 4 }),
      (secret, bodies) => {
        const hmac = new Hmac(secret);
        for (const bytes of bodies) {
          expect(hmac.of(Buffer.from(bytes))).toBe(createHmac('sha256', secret).update(bytes).digest('hex'));
        }
      },
    ),
  );
});

test.each([63, 64, 65, 16_383, 16_384, 16_385, 1_048_576])(
  'is, too, of a secret and a body of %i bytes',
  (length) => {
    const secret = 's'.repeat(Math.min(length, 4_096));
    const body = Buffer.alloc(length, 'b');
    expect(new Hmac(secret).of(body)).toBe(createHmac('sha256', secret).update(body).digest('hex'));
  },
);
