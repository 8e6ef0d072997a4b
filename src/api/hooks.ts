import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify';
import { notNow, ProblemError } from './problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered while the service is on its way down: what watches it must see that. */
    readonly whileDraining?: boolean;
  }
  interface FastifyRequest {
    /** As `performance.now` counts. */
    receivedAt: number;
  }
}

/** Counts the requests that were served. */
export interface HttpMetrics {
  /** `route`: the template, never the path. */
  requestServed(served: { method: string; route: string; status: number; seconds: number }): void;
}

const REQUEST_ID = /^[\w.-]{1,128}$/;

/** Nothing of ours is to be guessed at, framed, or kept by a cache; the documentation loosens this for itself. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const DRAINING_RETRY_SECONDS = 5;

/** The caller's id for a request when it is fit for a log, else a new one. */
export function requestIds(newId: () => string): (request: IncomingMessage) => string {
  return ({ headers }) => {
    const given = headers['x-request-id'];
    return typeof given === 'string' && REQUEST_ID.test(given) ? given : newId();
  };
}

/** What every answer has, and who is turned away on the way down. */
export function addCommonHooks(app: FastifyInstance, draining: AbortSignal): void {
  app.decorateRequest('receivedAt', 0);
  app.addHook('onRequest', (request, reply, done) => {
    request.receivedAt = performance.now();
    reply.headers(HEADERS).header('x-request-id', request.id);
    if (!draining.aborted || request.routeOptions.config.whileDraining === true) return done();
    reply.header('connection', 'close');
    throw new ProblemError(
      notNow('draining', 'The service is stopping. Send the request again.', DRAINING_RETRY_SECONDS),
    );
  });
}

/** What servers note for a request whose client went away before the answer. */
const CLIENT_GONE = 499;

/** Notes a request that was answered: one line and one count. */
export type AccessLog = (request: FastifyRequest, status: number, ms: number) => void;

/** Tells the route's template and no query string: paths and parameters may name persons. */
export function accessLog(logger: FastifyBaseLogger, metrics: HttpMetrics): AccessLog {
  return ({ id: requestId, method, routeOptions }, status, ms) => {
    const route = routeOptions.url ?? 'unmatched';
    logger.info({ requestId, method, route, status, ms: Math.round(ms * 10) / 10 }, 'request');
    metrics.requestServed({ method, route, status, seconds: ms / 1000 });
  };
}

export function addAccessLog(app: FastifyInstance, note: AccessLog): void {
  app.addHook('onResponse', (request, reply, done) => {
    note(request, reply.statusCode, reply.elapsedTime);
    done();
  });
  app.addHook('onRequestAbort', (request, done) => {
    note(request, CLIENT_GONE, performance.now() - request.receivedAt);
    done();
  });
}
