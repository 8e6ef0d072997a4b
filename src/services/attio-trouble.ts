import { AttioApiError, type AttioErrorKind } from '../attio/errors.ts';
import { ServiceError } from './errors.ts';

/** What is wrong, and how an operator mends it. */
export interface Trouble {
  readonly problem: string;
  readonly mend: string;
}

const NEW_TOKEN =
  'Make a token in Attio (Workspace settings > Developers), put it into ATTIO_API_KEY and start the service again.';
const WRONG_ADDRESS = 'Check ATTIO_BASE_URL; left unset, it is https://api.attio.com/v2.';
const LATER = 'Try again later; https://status.attio.com says whether Attio is well.';

const refused: Trouble = {
  problem: 'Attio refuses the token: it has been revoked, or is none of Attio',
  mend: NEW_TOKEN,
};
const strange: Trouble = { problem: 'what answers there is not the API of Attio', mend: WRONG_ADDRESS };

const BY_KIND: Partial<Record<AttioErrorKind, Trouble>> = {
  token_inactive: refused,
  unauthorized: refused,
  forbidden: {
    problem: 'Attio does not allow this with the token',
    mend: 'Give the token the scope that it lacks (Workspace settings > Developers); doctor names them all.',
  },
  network: {
    problem: 'Attio cannot be reached',
    mend: 'Check ATTIO_BASE_URL, and whether this machine may reach it: name service, proxy, firewall.',
  },
  timeout: {
    problem: 'Attio did not answer in time',
    mend: 'Try again; if it stays so, check what is between this machine and ATTIO_BASE_URL.',
  },
  rate_limited: { problem: "Attio's limit on requests is used up just now", mend: 'Try again in a minute.' },
  server_error: { problem: 'Attio answers that it is not well', mend: LATER },
  circuit_open: { problem: 'Attio has failed several times in a row', mend: LATER },
  invalid_response: strange,
  misrouted: strange,
};

/** @param error of the gateway, bare or inside a ServiceError. @returns null for anything else */
export function attioTroubleOf(error: unknown): Trouble | null {
  const inner = error instanceof ServiceError ? error.cause : error;
  if (!(inner instanceof AttioApiError)) return null;
  const known = BY_KIND[inner.kind];
  if (known === undefined) {
    const words = inner.detail === null ? inner.message : `${inner.message}: ${inner.detail}`;
    return { problem: `Attio refuses: ${words}`, mend: 'Read what Attio says, and mend what it names.' };
  }
  const why = reasonOf(inner);
  return { problem: why === null ? known.problem : `${known.problem}: ${why}`, mend: known.mend };
}

function reasonOf(error: AttioApiError): string | null {
  if (error.kind === 'network') return networkReason(error.cause);
  if (error.kind === 'forbidden') return error.detail;
  if (error.kind === 'server_error') return `status ${error.status}`;
  return null;
}

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name service does not answer',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to its network',
  UND_ERR_CONNECT_TIMEOUT: 'the host does not answer',
  UND_ERR_SOCKET: 'the connection was cut',
};

/** `fetch` hides the reason in its cause, or in the first of several. */
function networkReason(error: unknown): string {
  let innermost: Error | null = null;
  for (let at = error; at instanceof Error; at = deeper(at)) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : null;
    if (code !== null) return NETWORK[code] === undefined ? code : `${NETWORK[code]} (${code})`;
    innermost = at;
  }
  return innermost?.message ?? 'for no known reason';
}

function deeper(error: Error): unknown {
  return error instanceof AggregateError ? error.errors[0] : error.cause;
}
