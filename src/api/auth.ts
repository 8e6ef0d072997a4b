import { isAscii } from 'node:buffer';
import { hash, timingSafeEqual } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
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
type Guard = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/** Who may ask for what. */
export class Access {
  readonly #keys: readonly Buffer[];
  /** What a caller sends, beside the keys: all of one length, with zeros at the end, which no header has in it. */
  readonly #given: Buffer;
  readonly #rules: AccessRules;

  constructor(rules: AccessRules) {
    this.#rules = rules;
    // Headers are bytes; some callers send text beyond ASCII as UTF-8, some as Latin-1.
    const spelt = rules.apiKeys.flatMap((key) =>
      isAscii(Buffer.from(key)) ? [Buffer.from(key)] : [Buffer.from(key), Buffer.from(key, 'latin1')],
    );
    // One byte more than the longest key, so that what is longer is no key when it is cut.
    const length = Math.max(0, ...spelt.map((key) => key.length)) + 1;
    this.#keys = spelt.map((key) => Buffer.concat([key], length));
    this.#given = Buffer.alloc(length);
  }

  /** For `/v1`. */
  readonly guardApi: Guard = (request, _reply, done) => {
    if (this.#hasKey(request)) return done();
    const open = this.#rules.apiKeys.length === 0 && this.#rules.trustLoopback;
    if (open && isLocal(request)) return done();
    throw unauthorized(open);
  };

  /** For metrics and documentation. */
  readonly guardOperations: Guard = (request, _reply, done) => {
    if (this.#rules.protectOperations && !this.#hasKey(request)) throw unauthorized(false);
    done();
  };

  /** Whether the caller may see more of health than its status. */
  seesDetails(request: FastifyRequest): boolean {
    return this.#hasKey(request) || (this.#rules.trustLoopback && isLocal(request));
  }

  /** Tells callers apart by their keys, without showing them; all without a key are one. */
  callerOf(request: FastifyRequest): string {
    const token = tokenOf(request);
    return token === undefined ? '' : hash('sha256', Buffer.from(token, 'latin1'), 'hex');
  }

  /** Takes the same time whichever key matches, or none. */
  #hasKey(request: FastifyRequest): boolean {
    const token = tokenOf(request);
    if (token === undefined) return false;
    this.#given.fill(0).write(token, 'latin1');
    let matches = 0;
    for (const key of this.#keys) matches += Number(timingSafeEqual(key, this.#given));
    return matches > 0;
  }
}

function tokenOf({ headers }: FastifyRequest): string | undefined {
  return /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
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
