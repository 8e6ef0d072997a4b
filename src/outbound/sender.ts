import { type LookupAddress, type LookupOptions, lookup } from 'node:dns';
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { type AddressRefusal, type AllowedHosts, isAddress, plainHost, refusalOf } from './addresses.ts';

/** The address of a request is none that it may go to. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  readonly refusal: AddressRefusal;

  constructor(refusal: AddressRefusal) {
    super(`leads to a ${refusal} address`);
    this.refusal = refusal;
  }
}

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** What is read of an answer. */
export interface PostAnswer {
  readonly status: number;
  readonly headers: Headers;
}

/** All the addresses of a name, as the system knows them. */
export type LookUp = (
  hostname: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** What an answer may hold; the rest is not waited for. */
const MAX_ANSWER_BYTES = 65_536;
const ANSWER_GRACE_MS = 2_000;

/** Posts to addresses that others have given us: not into networks of our own, and nowhere else than they say. */
export class OutboundSender {
  readonly #allowed: AllowedHosts;
  readonly #userAgent: string;
  readonly #lookUp: LookUp;
  readonly #agents: { readonly http: HttpAgent; readonly https: HttpsAgent };

  /** @param options.keptConnections connections to one host that are kept for the next request */
  constructor(options: {
    allowed: AllowedHosts;
    userAgent: string;
    keptConnections: number;
    /** For tests. @default the system's */
    lookUp?: LookUp;
  }) {
    const { allowed, userAgent, keptConnections, lookUp = (...given) => lookup(...given) } = options;
    this.#allowed = allowed;
    this.#userAgent = userAgent;
    this.#lookUp = shared(lookUp);
    // No bound on connections here: one that is slow must not hold up another on the same host.
    const kept = { keepAlive: true, maxFreeSockets: keptConnections };
    this.#agents = { http: new HttpAgent(kept), https: new HttpsAgent(kept) };
  }

  /**
   * Follows no redirect.
   * @throws AddressRefusedError; the signal's reason; what the network says
   */
  async post(post: Post): Promise<PostAnswer> {
    const host = plainHost(post.url.hostname);
    const refusal = isAddress(host) ? this.#refusalOf(host) : null;
    if (refusal !== null) throw new AddressRefusedError(refusal);
    try {
      return await this.#send(post, host);
    } catch (error) {
      // The other side has closed a kept connection just then: nothing of the request was read.
      if (!(error instanceof StaleConnectionError)) throw error;
      return await this.#send(post, host);
    }
  }

  /** Looks whether a request may go there; connects to nothing. @throws an error that says why not */
  async probe(url: URL): Promise<void> {
    const host = plainHost(url.hostname);
    const addresses = isAddress(host) ? [{ address: host, family: 0 }] : await this.#addressesOf(host);
    const refused = this.#refuse(addresses, host);
    if (refused !== null) throw refused;
  }

  #addressesOf(host: string): Promise<LookupAddress[]> {
    return new Promise((resolve, reject) => {
      this.#lookUp(host, { all: true }, (error, addresses) => {
        if (error === null) resolve(addresses);
        else
          reject(new Error(`cannot be looked up (${error.code ?? 'for no known reason'})`, { cause: error }));
      });
    });
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  #send({ url, headers, body, signal }: Post, host: string): Promise<PostAnswer> {
    const isTls = url.protocol === 'https:';
    const payload = Buffer.from(body);
    return new Promise((resolve, reject) => {
      const request: ClientRequest = (isTls ? httpsRequest : httpRequest)(
        url,
        {
          method: 'POST',
          agent: isTls ? this.#agents.https : this.#agents.http,
          headers: { 'user-agent': this.#userAgent, ...headers, 'content-length': payload.length },
          lookup: this.#guarded(host),
          signal,
        },
        (answer) => {
          discard(answer);
          resolve({ status: answer.statusCode ?? 0, headers: headersOf(answer) });
        },
      );
      request.once('error', (error: NodeJS.ErrnoException) => {
        if (signal.aborted) return reject(signal.reason);
        const isStale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        reject(isStale ? new StaleConnectionError('a kept connection is gone', { cause: error }) : error);
      });
      request.end(payload);
    });
  }

  /** The look-up of the connection itself: what it passes is what is connected to. */
  #guarded(host: string): LookupFunction {
    return (hostname, options, done) => {
      this.#lookUp(hostname, { ...options, all: true }, (error, addresses) => {
        const refused = error ?? this.#refuse(addresses, host);
        const [first = { address: '', family: 0 }] = addresses ?? [];
        if (refused !== null) done(refused, '', 0);
        else if (options.all === true) done(null, addresses);
        else done(null, first.address, first.family);
      });
    };
  }

  #refuse(addresses: readonly LookupAddress[], host: string): AddressRefusedError | null {
    if (this.#allowed.hasName(host)) return null;
    const refusals = addresses.map(({ address }) => this.#refusalOf(address)).filter((one) => one !== null);
    return refusals[0] === undefined ? null : new AddressRefusedError(refusals[0]);
  }

  #refusalOf(address: string): AddressRefusal | null {
    return this.#allowed.hasAddress(address) ? null : refusalOf(address);
  }
}

/**
 * Look-ups of one name at once are one: the system has few threads for them, and a name server that is silent holds each
 * for many seconds, files and other names with it.
 */
function shared(lookUp: LookUp): LookUp {
  const waiting = new Map<string, Parameters<LookUp>[2][]>();
  return (hostname, options, done) => {
    const known = waiting.get(hostname);
    if (known !== undefined) {
      known.push(done);
      return;
    }
    const all = [done];
    waiting.set(hostname, all);
    lookUp(hostname, options, (...answer) => {
      waiting.delete(hostname);
      for (const one of all) one(...answer);
    });
  };
}

class StaleConnectionError extends Error {
  override readonly name = 'StaleConnectionError';
}

/** Reads to the end, so that the connection can be used again; one that goes on for too long is closed. */
function discard(answer: IncomingMessage): void {
  let bytes = 0;
  const limit = setTimeout(() => answer.destroy(), ANSWER_GRACE_MS);
  limit.unref();
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) answer.destroy();
  });
  answer.on('error', () => {});
  answer.once('close', () => clearTimeout(limit));
}

function headersOf({ headers }: IncomingMessage): Headers {
  const read = new Headers();
  for (const name of ['retry-after', 'date']) {
    const value = headers[name];
    if (typeof value === 'string') read.set(name, value);
  }
  return read;
}
