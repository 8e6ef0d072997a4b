import type { IncomingMessage } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HEADERS } from './answers.ts';
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

const DRAINING_RETRY_SECONDS = 5;

/** The caller's id for a request when it is fit for a log, else a new one. */
export function requestIds(newId: () => string): (request: IncomingMessage) => string {
  return ({ headers }) => {
    const given = headers['x-request-id'];
    return typeof given === 'string' && REQUEST_ID.test(given) ? given : newId();
  };
}

/** Ids that follow one that nobody else has: a UUID for each would cost more than finding the route. */
export function numbered(first: string): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `${first}-${count}`;
  };
}

/** What every answer has, and who is turned away on the way down. */
export function addCommonHooks(app: FastifyInstance, draining: AbortSignal): void {
  app.decorateRequest('receivedAt', 0);
  app.addHook('onRequest', (request, reply, done) => {
    request.receivedAt = performance.now();
    if (!draining.aborted || request.routeOptions.config.whileDraining === true) return done();
    reply.header('connection', 'close');
    throw new ProblemError(
      notNow('draining', 'The service is stopping. Send the request again.', DRAINING_RETRY_SECONDS),
    );
  });
  // Problems bring their headers themselves, wherever they come from.
  app.addHook('onRoute', (route) => {
    if (route.config?.answersItself !== true) route.onRequest = [giveHeaders, route.onRequest ?? []].flat();
  });
}

function giveHeaders(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  reply.headers(HEADERS).header('x-request-id', request.id);
  done();
}

/** What servers note for a request whose client went away before the answer. */
const CLIENT_GONE = 499;

/** Notes a request that was answered: one line and one count. */
export type AccessLog = (request: FastifyRequest, status: number, ms: number) => void;

/** Tells the route's template and no query string: paths and parameters may name persons. */
export function accessLog(logger: FastifyBaseLogger, metrics: HttpMetrics): AccessLog {
  // What many lines have in common is made once: there are as many as routes, times what they may be answered with.
  const loggers = new Map<string, Pick<FastifyBaseLogger, 'info'>>();
  return ({ id: requestId, method, routeOptions }, status, ms) => {
    const route = routeOptions.url ?? 'unmatched';
    const key = `${method} ${route} ${status}`;
    let log = loggers.get(key);
    if (log === undefined) {
      log = logger.child({ method, route, status });
      loggers.set(key, log);
    }
    log.info({ requestId, ms: Math.round(ms * 10) / 10 }, 'request');
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
