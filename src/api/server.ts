import type { Socket } from 'node:net';
import { type FastifyInstance, fastify, LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { Access } from './auth.ts';
import type { HttpDeps } from './deps.ts';
import { handleError } from './error-handler.ts';
import { healthRoutes } from './health.ts';
import { accessLog, addAccessLog, addCommonHooks, requestIds } from './hooks.ts';
import { IdempotencyGate } from './idempotency-gate.ts';
import { MethodTable, notFoundHandler } from './methods.ts';
import { addOpenApi } from './openapi.ts';
import { operationsRoutes } from './operations.ts';
import { type Problem, problemBody } from './problem.ts';
import { v1Routes } from './v1.ts';
import { webhookRoutes } from './webhooks.ts';

const BODY_LIMIT_BYTES = 1024 * 1024;
/** For the whole request to arrive. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 20_000;
/** Longer than load balancers keep an idle connection, so that it is not us who close it under a request. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;
/** Longer than the longest wait (300 s) without a byte on the socket. */
const SOCKET_TIMEOUT_MS = 330_000;

/** The HTTP side of the service; neither listens nor starts anything. */
export function createHttpServer(deps: HttpDeps): FastifyInstance {
  const note = accessLog(deps.logger, deps.metrics);
  const app = fastify({
    loggerInstance: deps.logger,
    logController: new LogController({ disableRequestLogging: true }),
    // One for all requests, because one for each costs more than its line: what is logged says its requestId itself.
    childLoggerFactory: (logger) => logger,
    genReqId: requestIds(deps.newId),
    // It has ones for JSON schemas, which would be read at every start.
    schemaController: { compilersFactory: { buildValidator: unused, buildSerializer: unused } },
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionTimeout: SOCKET_TIMEOUT_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
    forceCloseConnections: 'idle',
    // Requests on open connections meet the hook for draining, which answers with a problem.
    return503OnClosing: false,
    // Errors before any route is found: hooks do not run for them.
    frameworkErrors: (error, request, reply) => {
      handleError(error, request, reply);
      note(request, reply.statusCode, reply.elapsedTime);
    },
    clientErrorHandler: answerBrokenRequest,
  });

  // Not `AbortSignal.any`: every request asks it, and that looks its sources through.
  const closing = new AbortController();
  const ending = closing.signal;
  app.addHook('preClose', async () => closing.abort(new Error('the server is closing')));
  deps.draining.addEventListener('abort', () => closing.abort(deps.draining.reason), { once: true });
  const access = new Access(deps.access);
  const gate = new IdempotencyGate({
    ...deps.idempotency,
    onError: (err) => deps.logger.warn({ err }, 'the answer to a keyed request could not be stored'),
  });
  const methods = new MethodTable();
  methods.watch(app);

  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(handleError);
  app.setNotFoundHandler(notFoundHandler(methods));
  addCommonHooks(app, ending);
  addAccessLog(app, note);
  addOpenApi(app, deps.version);
  app.register(healthRoutes(deps.services.health, access));
  app.register(operationsRoutes(deps.metrics, access));
  app.register(webhookRoutes(deps.webhooks));
  app.register(v1Routes(deps.services, { access, methods, gate, mapping: deps.mapping, ending }), {
    prefix: '/v1',
  });
  return app;
}

function unused(): never {
  throw new Error('zod checks what comes, and writes what leaves');
}

const BROKEN: Readonly<Record<string, Pick<Problem, 'status' | 'detail'>>> = {
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'The request did not arrive in time. Send it again.' },
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'The headers are too large. Send fewer or shorter ones.' },
};
const NOT_HTTP = { status: 400, detail: 'This is not an HTTP request that can be understood.' };

/** What cannot be read as a request gets its answer on the bare socket. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, detail } = BROKEN[error.code ?? ''] ?? NOT_HTTP;
  const body = problemBody({ status, kind: 'bad-request', detail }, '/');
  const head = [
    `HTTP/1.1 ${status} Error`,
    'content-type: application/problem+json',
    `content-length: ${body.length}`,
    'connection: close',
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
}
