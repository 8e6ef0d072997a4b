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

/** A member of the input that is at fault. */
interface InputFault {
  /** JSON pointer or parameter name. */
  readonly path: string;
  readonly message: string;
}

interface ServiceErrorOptions {
  readonly path?: string;
  readonly errors?: readonly InputFault[];
  readonly attio?: { readonly code: string; readonly message: string };
  readonly retryAfterSeconds?: number;
  readonly isolated?: boolean;
  readonly cause?: unknown;
}

export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly kind: ServiceErrorKind;
  /** Which member of the input is meant, as a JSON pointer or parameter name. */
  readonly path: string | null;
  /** Which members of the input are meant, when it may be several, each with what is wrong (`invalid`). */
  readonly errors: readonly InputFault[];
  /** What Attio said when it refused for good (`refused`); our own message need not repeat it. */
  readonly attio: { readonly code: string; readonly message: string } | null;
  /** Seconds after which another try makes sense (`unavailable`). */
  readonly retryAfterSeconds: number | null;
  /** `unavailable`, but only what was asked for: other work need not wait. */
  readonly isolated: boolean;

  constructor(kind: ServiceErrorKind, message: string, options: ServiceErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.kind = kind;
    this.path = options.path ?? null;
    this.errors = options.errors ?? [];
    this.attio = options.attio ?? null;
    this.retryAfterSeconds = options.retryAfterSeconds ?? null;
    this.isolated = options.isolated ?? false;
  }
}

/** Attio or the database cannot serve now: what was asked is not to blame, and no attempt of it is counted. */
export function isOutage(error: unknown): error is ServiceError | StorageUnavailableError {
  if (error instanceof StorageUnavailableError) return true;
  return error instanceof ServiceError && error.kind === 'unavailable';
}
