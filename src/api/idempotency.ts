import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { StoredReply } from '../domain/idempotency.ts';
import { canonicalJson, type Json } from '../domain/json.ts';
import type { Access } from './auth.ts';
import type { IdempotencyGate, KeyedRequest } from './idempotency-gate.ts';
import { badInput, ProblemError } from './problem.ts';
import { waitSignal } from './wait.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Equal for requests with one key, of one caller, that ask for the same; null without a key. */
    requestKey: string | null;
  }
}

const HEADER = 'idempotency-key';
export const WRITING_METHODS: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE'];

/** The header, for the API's description. */
export const IDEMPOTENCY_HEADERS = {
  type: 'object',
  properties: {
    [HEADER]: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      description:
        'Makes it safe to send the request again: within 24 h the same request gets the same answer, marked idempotency-replayed, and another request is refused. An answer of 5xx is not kept.',
    },
  },
};

/**
 * For every request that may change something and brings a key. What is refused before its handler (by key, body or
 * parameters) was not begun, so nothing of it is kept.
 */
export function addIdempotency(
  app: FastifyInstance,
  context: { access: Access; gate: IdempotencyGate; ending: AbortSignal },
): void {
  const { access, gate, ending } = context;
  const keyed = new WeakMap<FastifyRequest, KeyedRequest>();
  const running = new WeakSet<FastifyRequest>();
  app.decorateRequest('requestKey', null);

  // Before validation, which replaces the body by what its schema makes of it.
  const identify = async (request: FastifyRequest) => {
    const key = keyOf(request);
    if (key === null) return;
    const [path, query = ''] = request.url.split(/\?(.*)/s, 2);
    const scope = digest([access.callerOf(request), request.method, path ?? '', key]);
    const fingerprint = digest([query, textOf(request.body)]);
    keyed.set(request, { scope, fingerprint });
    request.requestKey = digest([scope, fingerprint]);
  };

  const enter = async (request: FastifyRequest, reply: FastifyReply) => {
    const known = keyed.get(request);
    if (known === undefined) return;
    const stored = await gate.enter(known, waitSignal(reply, ending));
    if (stored === null) running.add(request);
    else return replay(reply, stored);
  };

  // Comes with every answer, also when the client has gone away; the answer leaves when it is kept.
  const leave = async (request: FastifyRequest, reply: FastifyReply, payload: unknown) => {
    const known = keyed.get(request);
    if (known !== undefined && running.delete(request)) await gate.leave(known.scope, toKeep(reply, payload));
    return payload;
  };

  // Not of every route: reads would pay for each hook.
  app.addHook('onRoute', (route) => {
    if (![route.method].flat().some((method) => WRITING_METHODS.includes(method))) return;
    route.preValidation = [identify, route.preValidation ?? []].flat();
    route.preHandler = [enter, route.preHandler ?? []].flat();
    route.onSend = [leave, route.onSend ?? []].flat();
  });
}

/** @throws ProblemError for a header that is no key, such as one that was sent twice */
function keyOf({ headers }: FastifyRequest): string | null {
  const key = headers[HEADER];
  if (key === undefined) return null;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  const message = 'must be sent once, with 1 to 255 visible ASCII characters';
  throw new ProblemError(badInput([{ path: HEADER, message }]));
}

/** Two spellings of one JSON value are one body. */
function textOf(body: unknown): string {
  return body === undefined ? '' : canonicalJson(body as Json); // it was read from JSON
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** @returns null for what the next one may get right */
function toKeep(reply: FastifyReply, payload: unknown): StoredReply | null {
  const body = Buffer.isBuffer(payload) ? payload.toString() : (payload ?? '');
  if (reply.statusCode >= 500 || typeof body !== 'string') return null;
  const contentType = reply.getHeader('content-type');
  return {
    status: reply.statusCode,
    contentType: contentType === undefined ? null : String(contentType),
    body,
  };
}

function replay(reply: FastifyReply, { status, contentType, body }: StoredReply): FastifyReply {
  if (contentType !== null) reply.header('content-type', contentType);
  // Bytes: they were a text of the route's schema once.
  return reply.code(status).header('idempotency-replayed', 'true').send(Buffer.from(body));
}
