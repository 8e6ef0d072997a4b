import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { WebhookDeps } from '../../../src/api/webhooks.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import { SignatureVerifier } from '../../../src/webhooks/verify.ts';
import { createTestServer } from './support.ts';

const SECRET = 'webhook-secret';
const BODY = '{"webhook_id":"w","events":[{"event_type":"record.created","id":{}}]}';

function sign(body: string | Buffer, secret = SECRET): string {
  return createHmac('sha256', secret).update(body).digest('hex');
}

function setUp(webhooks: Partial<WebhookDeps> = {}) {
  const accepted: { body: string; key: string | null }[] = [];
  const server = createTestServer({
    webhooks: {
      verifier: new SignatureVerifier([SECRET]),
      inbox: {
        accept: async (rawBody, key) => {
          accepted.push({ body: rawBody.toString('latin1'), key });
          return { accepted: 1, duplicates: 0, quarantined: 0 };
        },
      },
      ...webhooks,
    },
  });
  const deliver = (headers: Record<string, string | string[]> = {}, payload: string | Buffer = BODY) =>
    server.app.inject({
      method: 'POST',
      url: '/webhooks',
      payload,
      headers: { 'content-type': 'application/json', 'attio-signature': sign(payload), ...headers },
    });
  return { ...server, deliver, accepted };
}

describe('a delivery', () => {
  it('that is signed is accepted, byte for byte', async () => {
    const { deliver, accepted } = setUp();
    const bytes = Buffer.from([0x7b, 0x00, 0xff, 0x0a, 0x20, 0x7d]);
    const response = await deliver({}, bytes);
    expect(response.statusCode).toBe(202);
    expect(response.json()).toEqual({ accepted: 1, duplicates: 0 });
    expect(accepted).toEqual([{ body: bytes.toString('latin1'), key: null }]);
  });

  it('says what was quarantined, when anything was', async () => {
    const { deliver } = setUp({
      inbox: { accept: async () => ({ accepted: 0, duplicates: 0, quarantined: 1 }) },
    });
    expect((await deliver()).json()).toEqual({ accepted: 0, duplicates: 0, quarantined: 1 });
  });

  it.each([
    ['message-1', 'message-1'],
    ['  message-1 ', 'message-1'],
    ['', null],
    ['   ', null],
    ['k'.repeat(2000), 'k'.repeat(2000)],
  ])('bears the key "%s"', async (header, key) => {
    const { deliver, accepted } = setUp();
    await deliver({ 'idempotency-key': header });
    expect(accepted[0]?.key).toBe(key);
  });

  it('needs no key of this service', async () => {
    const { deliver } = setUp();
    expect((await deliver({ authorization: 'Bearer nonsense' })).statusCode).toBe(202);
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8'])(
    'may come as %s',
    async (type) => {
      const { deliver } = setUp();
      expect((await deliver({ 'content-type': type })).statusCode).toBe(202);
    },
  );

  it('may be signed in either header, or in both alike', async () => {
    const { deliver } = setUp();
    const signature = sign(BODY);
    expect((await deliver({ 'x-attio-signature': signature })).statusCode).toBe(202);
    const { app } = setUp();
    const other = await app.inject({
      method: 'POST',
      url: '/webhooks',
      payload: BODY,
      headers: { 'content-type': 'application/json', 'x-attio-signature': signature },
    });
    expect(other.statusCode).toBe(202);
  });

  it.each([
    ['wrong', sign(BODY, 'other')],
    ['of another body', sign(`${BODY} `)],
    ['in upper case', sign(BODY).toUpperCase()],
    ['cut short', sign(BODY).slice(0, 63)],
    ['no hex', 'z'.repeat(64)],
    ['empty', ''],
    ['with a prefix', `sha256=${sign(BODY)}`],
  ])('with a signature that is %s is 401', async (_how, signature) => {
    const { deliver, accepted, rejections } = setUp();
    const response = await deliver({ 'attio-signature': signature });
    expect(response.statusCode).toBe(401);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(accepted).toEqual([]);
    expect(rejections).toEqual(['bad_signature']);
  });

  it('with signatures that disagree is 401', async () => {
    const { deliver } = setUp();
    expect((await deliver({ 'x-attio-signature': sign(BODY, 'other') })).statusCode).toBe(401);
  });

  it('without a signature is 401, even with the key in another header', async () => {
    const { app } = setUp();
    const response = await app.inject({
      method: 'POST',
      url: '/webhooks',
      payload: BODY,
      headers: { 'content-type': 'application/json', signature: sign(BODY) },
    });
    expect(response.statusCode).toBe(401);
  });

  it('is 503 while no secret is configured, signed or not', async () => {
    const { deliver, rejections } = setUp({ verifier: new SignatureVerifier([]) });
    const response = await deliver();
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBeDefined();
    expect(response.json().detail).toContain('ATTIO_WEBHOOK_SECRET');
    expect(rejections).toEqual(['not_configured']);
  });

  it('is 503 when it cannot be stored', async () => {
    const { deliver, rejections } = setUp({
      inbox: {
        accept: () => Promise.reject(new ServiceError('unavailable', 'full', { retryAfterSeconds: 9 })),
      },
    });
    const response = await deliver();
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('9');
    expect(rejections).toEqual(['not_stored']);
  });

  it('is an opaque 500 for a fault of ours, which Attio sends again', async () => {
    const { deliver, rejections } = setUp({ inbox: { accept: () => Promise.reject(new Error('bug')) } });
    const response = await deliver();
    expect(response.statusCode).toBe(500);
    expect(response.body).not.toContain('bug');
    expect(rejections).toEqual(['failed']);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/json5', 'nonsense', ''])(
    'is 415 as "%s"',
    async (type) => {
      const { deliver, accepted, rejections } = setUp();
      expect((await deliver({ 'content-type': type })).statusCode).toBe(415);
      expect(accepted).toEqual([]);
      expect(rejections).toEqual(['wrong_media_type']);
    },
  );

  it('is 415 without a content type, with or without a body', async () => {
    const { app } = setUp();
    for (const payload of [BODY, '']) {
      const headers = { 'attio-signature': sign(payload) };
      const response = await app.inject({ method: 'POST', url: '/webhooks', payload, headers });
      expect(response.statusCode).toBe(415);
    }
  });

  it('may be 1 MiB and is 413 above', async () => {
    const { deliver, rejections } = setUp();
    expect((await deliver({}, Buffer.alloc(1024 * 1024, 32))).statusCode).toBe(202);
    const response = await deliver({}, Buffer.alloc(1024 * 1024 + 1, 32));
    expect(response.statusCode).toBe(413);
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(rejections).toEqual(['too_large']);
  });

  it('that is signed but no JSON is not refused: it is the inbox that judges', async () => {
    const { deliver, accepted } = setUp();
    expect((await deliver({}, 'not json')).statusCode).toBe(202);
    expect((await deliver({}, '')).statusCode).toBe(202);
    expect(accepted.map(({ body }) => body)).toEqual(['not json', '']);
  });

  it('is 503 on the way down', async () => {
    const { deliver, draining, accepted, rejections } = setUp();
    draining.abort();
    const response = await deliver();
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBeDefined();
    expect(response.headers['connection']).toBe('close');
    expect(accepted).toEqual([]);
    expect(rejections).toEqual(['draining']);
  });
});
