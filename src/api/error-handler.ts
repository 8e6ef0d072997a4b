import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  type ZodFastifySchemaValidationError,
} from 'fastify-type-provider-zod';
import { StorageUnavailableError } from '../domain/storage.ts';
import { ServiceError, type ServiceErrorKind } from '../services/errors.ts';
import {
  badInput,
  type InputError,
  MAX_ERRORS,
  notNow,
  type Problem,
  ProblemError,
  sendProblem,
  UNSUPPORTED_MEDIA_TYPE,
} from './problem.ts';

/** The one table from what a service says to what HTTP says. */
const STATUS = {
  not_found: 404,
  gone: 410,
  invalid: 400,
  conflict: 409,
  refused: 422,
  cursor_expired: 410,
  unavailable: 503,
} as const satisfies Record<ServiceErrorKind, number>;

/** Refusals of the framework itself, by its codes. Whatever is not listed is a fault of ours. */
const FRAMEWORK: Readonly<Record<string, Problem>> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: UNSUPPORTED_MEDIA_TYPE,
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    kind: 'bad-request',
    detail: 'The body is not as long as content-length says. Send it whole.',
  },
  FST_ERR_BAD_URL: {
    status: 400,
    kind: 'bad-request',
    detail: 'The path is not percent-encoded UTF-8. Encode it, and send it again.',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    status: 414,
    kind: 'path-too-long',
    detail: 'A part of the path is longer than any id or slug. Check it.',
  },
  // The client went away in the middle of its body: nobody reads this answer.
  ECONNRESET: { status: 400, kind: 'bad-request', detail: 'The body ended early. Send it whole.' },
};

const BODY_TOO_LARGE = 'FST_ERR_CTP_BODY_TOO_LARGE';

function tooLarge(bodyLimit: number): Problem {
  return {
    status: 413,
    kind: 'body-too-large',
    detail: `The body is larger than this route takes (${bodyLimit / MIB} MiB). Send less at once.`,
  };
}

const MIB = 1024 * 1024;

const INTERNAL: Problem = {
  status: 500,
  kind: 'internal',
  detail: 'Something went wrong here. It is in the log under this x-request-id.',
};

const DEFAULT_RETRY_AFTER_SECONDS = 5;

const STORAGE_UNAVAILABLE = notNow(
  'unavailable',
  'The database cannot serve just now. Send the request again later.',
  DEFAULT_RETRY_AFTER_SECONDS,
);

/**
 * What the caller is told of an error.
 *
 * Only the framework's own complaint about a request's schema is the caller's fault: a zod error from anywhere else
 * is ours, and as opaque as every other fault of ours.
 * @param bodyLimit bytes that the route takes, for those who have sent more
 */
export function toProblem(error: unknown, bodyLimit = MIB): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof ServiceError) return fromService(error);
  if (error instanceof StorageUnavailableError) return STORAGE_UNAVAILABLE;
  if (hasZodFastifySchemaValidationErrors(error))
    return badInput(inputErrors(error.validation, error.validationContext === 'body'));
  const code = codeOf(error);
  return code === BODY_TOO_LARGE ? tooLarge(bodyLimit) : (FRAMEWORK[code] ?? INTERNAL);
}

/** Answers with a problem, and logs what is ours to mend. */
export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error, request.routeOptions.bodyLimit);
  const line = { requestId: request.id, err: error };
  if (problem.status === 500) request.log.error(line, 'a request failed unexpectedly');
  else if (problem.status === 503 && !(error instanceof ProblemError))
    request.log.warn(line, 'a request could not be served now');
  return sendProblem(request, reply, problem);
}

function fromService(error: ServiceError): Problem {
  const { kind, message, path, retryAfterSeconds, attio } = error;
  const name = kind.replaceAll('_', '-');
  if (kind === 'unavailable') return notNow(name, message, retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS);
  const errors = path === null ? error.errors : [{ path, message }, ...error.errors];
  return {
    status: STATUS[kind],
    kind: name,
    detail: attio === null ? message : `${message}. Attio says ${attio.code}: ${attio.message}`,
    ...(errors.length === 0 ? {} : { errors: errors.slice(0, MAX_ERRORS) }),
    ...(attio === null ? {} : { attio }),
  };
}

/** A complaint of a schema, in the words of the validator's plugin. */
type SchemaFault = Pick<ZodFastifySchemaValidationError, 'keyword' | 'instancePath' | 'message' | 'params'>;

/** What a schema found, one complaint per unknown member. */
export function inputErrors(faults: readonly SchemaFault[], inBody: boolean): InputError[] {
  return faults.flatMap(({ keyword, instancePath, message = 'is wrong', params }) => {
    const parent = instancePath === '/' ? '' : instancePath;
    const pathOf = (pointer: string) => (inBody ? pointer : pointer.slice(1));
    const unknown: unknown = keyword === 'unrecognized_keys' ? params['keys'] : undefined;
    if (!Array.isArray(unknown)) return [{ path: pathOf(parent), message }];
    return unknown.map((name) => {
      const member = inBody ? String(name).replaceAll('~', '~0').replaceAll('/', '~1') : String(name);
      return { path: pathOf(`${parent}/${member}`), message: 'is not known here' };
    });
  });
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error) || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}
