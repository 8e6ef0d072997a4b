import type { FastifyReply, FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What it answers with, unless it is a problem, is an `Answer`: the framework is not to prepare headers. */
    readonly answersItself?: boolean;
  }
}

/** Nothing of ours is to be guessed at, framed, or kept by a cache; the documentation loosens this for itself. */
export const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const COMMON: readonly string[] = Object.entries(HEADERS).flat();

/**
 * JSON that is sent as it is, by routes that are asked thousands of times a second: head and body leave in one piece,
 * past what the framework does for bodies and headers that it does not know. Log line and metrics are as ever.
 */
export class Answer {
  /** A character for each byte. */
  readonly #text: string;
  readonly #head: readonly string[];

  constructor(body: unknown) {
    const bytes = Buffer.from(JSON.stringify(body));
    this.#text = bytes.toString('latin1');
    this.#head = [
      ...COMMON,
      'content-type',
      'application/json; charset=utf-8',
      'content-length',
      String(bytes.length),
      'x-request-id',
    ];
  }

  /** @param more headers: name, value, name, value, … */
  send(request: FastifyRequest, reply: FastifyReply, status: number, ...more: readonly string[]): void {
    reply.hijack();
    reply.raw.writeHead(status, [...this.#head, request.id, ...more]);
    reply.raw.end(this.#text, 'latin1');
  }
}
