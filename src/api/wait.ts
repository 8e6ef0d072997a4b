import type { FastifyReply } from 'fastify';

/** Ends a long wait: when the client has gone away, or when one of the others says so. */
export function waitSignal(reply: FastifyReply, others: AbortSignal): AbortSignal {
  const gone = new AbortController();
  // Not the request's own `close`: that comes as soon as its body is read.
  reply.raw.once('close', () => gone.abort(new Error('the client has gone away')));
  return AbortSignal.any([gone.signal, others]);
}
