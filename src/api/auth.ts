import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from './problem.ts';

export interface AccessRules {
  /** Bearer tokens. */
  readonly apiKeys: readonly string[];
  /** Development: who calls from this machine needs no key, unless there are keys. */
  readonly trustLoopback: boolean;
  /** Metrics and documentation need a key. */
  readonly protectOperations: boolean;
}

/** A hook that lets a request pass. @throws ProblemError 401 */
type Guard = (request: FastifyRequest) => Promise<void>;

/** Who may ask for what. */
export class Access {
  readonly #digests: readonly Buffer[];
  readonly #rules: AccessRules;

  constructor(rules: AccessRules) {
    this.#rules = rules;
    // Headers are bytes; some callers send text beyond ASCII as UTF-8, some as Latin-1.
    this.#digests = rules.apiKeys.flatMap((key) => [digest(key, 'utf8'), digest(key, 'latin1')]);
  }

  /** For `/v1`. */
  readonly guardApi: Guard = async (request) => {
    if (this.#hasKey(request)) return;
    const open = this.#rules.apiKeys.length === 0 && this.#rules.trustLoopback;
    if (open && isLocal(request)) return;
    throw unauthorized(open);
  };

  /** For metrics and documentation. */
  readonly guardOperations: Guard = async (request) => {
    if (this.#rules.protectOperations && !this.#hasKey(request)) throw unauthorized(false);
  };

  /** Whether the caller may see more of health than its status. */
  seesDetails(request: FastifyRequest): boolean {
    return this.#hasKey(request) || (this.#rules.trustLoopback && isLocal(request));
  }

  /** Tells callers apart by their keys, without showing them; all without a key are one. */
  callerOf(request: FastifyRequest): string {
    const token = tokenOf(request);
    return token === undefined ? '' : digest(token, 'latin1').toString('hex');
  }

  /** Takes the same time whichever key matches, or none. */
  #hasKey(request: FastifyRequest): boolean {
    const token = tokenOf(request);
    if (token === undefined) return false;
    const given = digest(token, 'latin1');
    return this.#digests.map((known) => timingSafeEqual(known, given)).includes(true);
  }
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  return /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
}

/** Equal lengths, whatever the lengths of the keys: that is what comparing in constant time asks for. */
function digest(text: string, encoding: 'utf8' | 'latin1'): Buffer {
  return hash('sha256', Buffer.from(text, encoding), 'buffer');
}

/**
 * Whether a person or program on this machine asks. A tunnel or proxy on this machine does not count: it brings in
 * the world, and shows by its headers; nor does a page in a browser that has a foreign name resolve to this machine.
 */
function isLocal(request: FastifyRequest): boolean {
  const { headers, socket } = request;
  if (headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined) return false;
  return isLoopback(socket.remoteAddress ?? '') && isLoopback(request.hostname);
}

function isLoopback(address: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\]|::ffff:127(\.\d{1,3}){3})$/i.test(address);
}

function unauthorized(open: boolean): ProblemError {
  const detail = open
    ? 'Without SERVICE_API_KEYS only callers on this machine are let in. Set them, and send one of them as authorization: Bearer <key>.'
    : 'Send a key of this service with the header authorization: Bearer <key>.';
  return new ProblemError({
    status: 401,
    kind: 'unauthorized',
    detail,
    headers: { 'www-authenticate': 'Bearer' },
  });
}
