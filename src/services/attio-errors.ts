import { AttioApiError, type AttioErrorKind, isAttioError } from '../attio/errors.ts';
import { attioTroubleOf } from './attio-trouble.ts';
import { ServiceError, type ServiceErrorKind } from './errors.ts';

/** What keeps every request from being answered; anything else is about the one that was sent. */
const ALL_OF_ATTIO: ReadonlySet<AttioErrorKind> = new Set([
  'circuit_open',
  'lane_full',
  'network',
  'not_in_charge',
  'rate_limited',
  'timeout',
  'token_inactive',
  'unauthorized',
]);

/**
 * An error of the gateway in the services' words; anything else is returned as it is.
 *
 * Attio's own words may quote what was sent, so they go only where the sender reads them (`forSender`), never
 * into what is logged or stored.
 */
export function fromAttio(error: unknown, options: AskOptions = {}): unknown {
  if (!(error instanceof AttioApiError)) return error;
  const kind = kindOf(error);
  const retryAfterSeconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000));
  const isolated = !concernsAll(error);
  return new ServiceError(kind, wordsOf(error, kind, options), { retryAfterSeconds, isolated, cause: error });
}

export interface AskOptions {
  /** @default false */
  readonly forSender?: boolean;
  /** What is asked for, such as `The lists`: for what is said when it cannot be had. */
  readonly wanted?: string;
}

function wordsOf(
  error: AttioApiError,
  kind: ServiceErrorKind,
  { forSender = false, wanted = 'What this needs of Attio' }: AskOptions,
): string {
  const trouble = kind === 'unavailable' ? attioTroubleOf(error) : null;
  if (trouble !== null)
    return `${wanted} cannot be had now: ${trouble.problem}. Send the request again later.`;
  return forSender && error.detail !== null ? `${error.message}: ${error.detail}` : error.message;
}

/** Runs a call of the gateway. @throws ServiceError in place of AttioApiError */
export async function askAttio<T>(call: () => Promise<T>, options?: AskOptions): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fromAttio(error, options);
  }
}

/** Whether Attio's 403 is what stands behind: waiting does not give a token more scopes. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ServiceError && isAttioError(error.cause, 'forbidden');
}

/** Whether no request at all would be answered now. */
export function concernsAll(error: AttioApiError): boolean {
  return ALL_OF_ATTIO.has(error.kind);
}

/** Whatever is not for good is "not now": an outage, our own configuration, or a merge under way. */
function kindOf(error: AttioApiError): ServiceErrorKind {
  if (error.kind === 'not_found') return 'not_found';
  return error.traits.final ? 'refused' : 'unavailable';
}
