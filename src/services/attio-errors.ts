import { AttioApiError, type AttioErrorKind } from '../attio/errors.ts';
import { ServiceError, type ServiceErrorKind } from './errors.ts';

/** What keeps every request from being answered; anything else is about the one that was sent. */
const ALL_OF_ATTIO: ReadonlySet<AttioErrorKind> = new Set([
  'circuit_open',
  'lane_full',
  'network',
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
export function fromAttio(error: unknown, options: { forSender: boolean } = { forSender: false }): unknown {
  if (!(error instanceof AttioApiError)) return error;
  const words =
    options.forSender && error.detail !== null ? `${error.message}: ${error.detail}` : error.message;
  const retryAfterSeconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1000));
  const isolated = !concernsAll(error);
  return new ServiceError(kindOf(error), words, { retryAfterSeconds, isolated, cause: error });
}

/** Runs a call of the gateway. @throws ServiceError in place of AttioApiError */
export async function askAttio<T>(call: () => Promise<T>, options?: { forSender: boolean }): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw fromAttio(error, options);
  }
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
