import { STATUS_CODES } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HEADERS } from './answers.ts';

/** One complaint about one part of a request: a parameter's name, or a JSON pointer into the body. */
export interface InputError {
  readonly path: string;
  readonly message: string;
}

/** What an answer that is not the wished-for one consists of (RFC 9457), before it knows its request. */
export interface Problem {
  readonly status: number;
  /** Stable, for programs to branch on: the last part of `type`. */
  readonly kind: string;
  /** In words, with how to mend it. */
  readonly detail: string;
  readonly errors?: readonly InputError[];
  /** What Attio said, when it was Attio that refused. */
  readonly attio?: { readonly code: string; readonly message: string };
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by this layer itself, when it refuses a request before any service is asked. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

export const UNSUPPORTED_MEDIA_TYPE: Problem = {
  status: 415,
  kind: 'unsupported-media-type',
  detail: 'Send the body as JSON, with the header content-type: application/json.',
};

/** Complaints per answer: enough to mend a request, too few to be used for making us talk. */
export const MAX_ERRORS = 20;

/** The request is wrong in itself, in these parts; the first of them are named. */
export function badInput(faults: readonly InputError[]): Problem {
  const errors = faults.slice(0, MAX_ERRORS);
  const parts = errors.map(({ path, message }) => (path === '' ? message : `${path} ${message}`));
  return { status: 400, kind: 'bad-request', detail: `Mend the request: ${parts.join('; ')}.`, errors };
}

/** Not now. @param retryAfterSeconds when another try makes sense */
export function notNow(kind: string, detail: string, retryAfterSeconds: number): Problem {
  return { status: 503, kind, detail, headers: { 'retry-after': String(Math.max(1, retryAfterSeconds)) } };
}

/** The body of a problem; `instance` is the path of the request. */
export function problemBody(problem: Problem, url: string): Buffer {
  const { status, kind, detail, errors, attio } = problem;
  const body = {
    type: `urn:attio-bridge:problem:${kind}`,
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail,
    instance: url.split('?', 1)[0],
    ...(errors === undefined ? {} : { errors }),
    ...(attio === undefined ? {} : { attio }),
  };
  // Bytes: the framework would send a text through the route's schema, and name its charset.
  return Buffer.from(JSON.stringify(body));
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  return reply
    .code(problem.status)
    .headers({ ...HEADERS, ...problem.headers, 'x-request-id': request.id })
    .type('application/problem+json')
    .send(problemBody(problem, request.url));
}
