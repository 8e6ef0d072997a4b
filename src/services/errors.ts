import { StorageUnavailableError } from '../domain/storage.ts';

/** Why a service refused, in a closed set: `api/error-handler.ts` holds the one table from kind to status. */
export type ServiceErrorKind =
  | 'not_found'
  | 'gone'
  | 'invalid'
  | 'conflict'
  | 'refused'
  | 'cursor_expired'
  | 'unavailable';

/** What is wrong with one member of the input; `path` is a JSON pointer. */
export interface MemberFault {
  readonly path: string;
  readonly message: string;
}

/** A refusal in Attio's own words. They may quote what was sent: for the sender, never for a log. */
export interface AttioRefusal {
  readonly code: string;
  readonly message: string;
}

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly kind: ServiceErrorKind;
  /** Which member of the input is meant, as a JSON pointer or parameter name. */
  readonly path: string | null;
  /** Several members at fault. */
  readonly errors: readonly MemberFault[];
  /** Seconds after which another try makes sense (`unavailable`). */
  readonly retryAfterSeconds: number | null;
  /** `unavailable`, but only what was asked for: other work need not wait. */
  readonly isolated: boolean;
  readonly #attio: AttioRefusal | null;

  constructor(
    kind: ServiceErrorKind,
    message: string,
    options: {
      path?: string;
      errors?: readonly MemberFault[];
      retryAfterSeconds?: number;
      isolated?: boolean;
      attio?: AttioRefusal | null;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.kind = kind;
    this.path = options.path ?? null;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.isolated = options.isolated ?? false;
    this.errors = options.errors ?? [];
    this.#attio = options.attio ?? null;
  }

  /** Attio's own words, when it is Attio that has refused (`refused`). */
  get attio(): AttioRefusal | null {
    return this.#attio;
  }
}

/** @param noun such as `contact` */
export function unknownThing(noun: string): ServiceError {
  return new ServiceError('not_found', `there is no ${noun} with this id`);
}

export function deletedThing(noun: string, deletedAt: string): ServiceError {
  return new ServiceError('gone', `this ${noun} was deleted at ${deletedAt}`);
}

/** Understood, but not to be done because of one member. @param path a JSON pointer */
export function refusedMember(path: string, message: string): ServiceError {
  return new ServiceError('refused', `${path} ${message}`, { errors: [{ path, message }] });
}

/** Wrong in itself, in these members. */
export function invalidMembers(errors: readonly MemberFault[]): ServiceError {
  const words = errors.map(({ path, message }) => `${path} ${message.replace(/\.$/, '')}`).join('; ');
  return new ServiceError('invalid', `Mend the request: ${words}.`, { errors });
}

/** Attio or the database cannot serve now: what was asked is not to blame, and no attempt of it is counted. */
export function isOutage(error: unknown): error is ServiceError | StorageUnavailableError {
  if (error instanceof StorageUnavailableError) return true;
  return error instanceof ServiceError && error.kind === 'unavailable';
}
