/** What can go wrong with a request to Attio: a closed set, so that callers branch on a literal. */
export type AttioErrorKind =
  | 'rate_limited'
  | 'unauthorized'
  | 'forbidden'
  | 'token_inactive'
  | 'quota'
  | 'not_found'
  | 'misrouted'
  | 'merge_in_progress'
  | 'validation'
  | 'missing_value'
  | 'value_not_found'
  | 'filter_error'
  | 'uniqueness_conflict'
  | 'multiple_match_results'
  | 'immutable_value'
  | 'concurrent_write_conflict'
  | 'conflict'
  | 'bad_request'
  | 'server_error'
  | 'network'
  | 'timeout'
  | 'invalid_response'
  | 'circuit_open'
  | 'lane_full'
  | 'not_in_charge';

/** What a kind means for who has to act on it. */
export interface ErrorTraits {
  /** Attio refuses this very request for good: sending it again cannot help. */
  readonly final: boolean;
  /** Nobody's fault but the world's: wait; it says nothing about this request, so no attempt is counted. */
  readonly outage: boolean;
  /** Our token, scopes, plan or address must be mended by a person: keep the work, show it in health. */
  readonly configuration: boolean;
  /** What the circuit breaker takes it for: a sign of life, a failure, or neither. */
  readonly breaker: 'alive' | 'failure' | 'neither';
}

const refused: ErrorTraits = { final: true, outage: false, configuration: false, breaker: 'alive' };
const later: ErrorTraits = { final: false, outage: false, configuration: false, breaker: 'alive' };
const misconfigured: ErrorTraits = { final: false, outage: false, configuration: true, breaker: 'alive' };
const down: ErrorTraits = { final: false, outage: true, configuration: false, breaker: 'failure' };
const notSent: ErrorTraits = { final: false, outage: true, configuration: false, breaker: 'neither' };

export const ERROR_TRAITS: Readonly<Record<AttioErrorKind, ErrorTraits>> = {
  rate_limited: { final: false, outage: true, configuration: false, breaker: 'alive' },
  unauthorized: misconfigured,
  forbidden: misconfigured,
  token_inactive: misconfigured,
  quota: misconfigured,
  not_found: refused,
  misrouted: misconfigured,
  merge_in_progress: later,
  validation: refused,
  missing_value: refused,
  value_not_found: refused,
  filter_error: refused,
  uniqueness_conflict: refused,
  multiple_match_results: refused,
  immutable_value: refused,
  concurrent_write_conflict: later,
  conflict: refused,
  bad_request: refused,
  server_error: down,
  network: down,
  timeout: down,
  invalid_response: down,
  circuit_open: notSent,
  lane_full: notSent,
  not_in_charge: notSent,
};

/** One complaint of Attio about one member of a request. Its text may quote what was sent. */
export interface ValidationIssue {
  readonly path: readonly string[];
  readonly code: string;
  readonly message: string;
}

export interface AttioErrorDetails {
  /** The route's template, such as `GET /objects/{object}`. */
  readonly endpoint: string;
  /** HTTP status; null when there was no answer. */
  readonly status?: number | null;
  /** Attio's own code, as it came: the set is open. */
  readonly code?: string | null;
  /** Attio's own words. They may quote values, so they are for the caller, never for a log. */
  readonly detail?: string | null;
  readonly validationErrors?: readonly ValidationIssue[];
  /** Attio's name for this request, for its support. */
  readonly executionId?: string | null;
  /** Milliseconds after which another try makes sense. */
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
}

/**
 * A request to Attio that did not succeed.
 *
 * What loggers and JSON see (message and own members) holds no token, no body and no value. Attio's own words may
 * quote values: they are behind the getters `detail` and `validationErrors`.
 */
export class AttioApiError extends Error {
  override readonly name = 'AttioApiError';
  readonly kind: AttioErrorKind;
  readonly endpoint: string;
  readonly status: number | null;
  readonly code: string | null;
  readonly executionId: string | null;
  readonly retryAfterMs: number | null;
  readonly #detail: string | null;
  readonly #validationErrors: readonly ValidationIssue[];

  constructor(kind: AttioErrorKind, details: AttioErrorDetails) {
    const { endpoint, status = null, code = null, cause } = details;
    const answer = status === null ? '' : ` (${status}${code === null ? '' : ` ${code}`})`;
    super(`${endpoint}: ${kind}${answer}`, cause === undefined ? {} : { cause });
    this.kind = kind;
    this.endpoint = endpoint;
    this.status = status;
    this.code = code;
    this.executionId = details.executionId ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
    this.#detail = details.detail ?? null;
    this.#validationErrors = details.validationErrors ?? [];
  }

  /** Attio's own words, for the one who sent the request. */
  get detail(): string | null {
    return this.#detail;
  }

  get validationErrors(): readonly ValidationIssue[] {
    return this.#validationErrors;
  }

  get traits(): ErrorTraits {
    return ERROR_TRAITS[this.kind];
  }
}

export function isAttioError(error: unknown, ...kinds: readonly AttioErrorKind[]): error is AttioApiError {
  return error instanceof AttioApiError && (kinds.length === 0 || kinds.includes(error.kind));
}
