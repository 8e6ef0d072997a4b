import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import type { Change } from './service.ts';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** A message as it was received. */
export interface Received {
  /** Its `webhook-id`. */
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: string;
  readonly body: { readonly type: string; readonly timestamp: string; readonly data: Change };
  /** Whether the signature was right, by the library. */
  readonly verified: boolean;
}

export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Never answers. */
  readonly hang?: boolean;
  /** The connection is cut. */
  readonly cut?: boolean;
}

/** An internal system that changes are pushed to. */
export class Receiver {
  /** All attempts, in the order of their arrival. */
  readonly attempts: Received[] = [];
  /** Ids of what was answered with 2xx. */
  readonly accepted = new Set<string>();
  /** At once, and at most so far. */
  underWay = 0;
  mostUnderWay = 0;
  readonly #server: Server;
  /** What is answered; 204 at first. */
  reply: (message: Received) => Reply | Promise<Reply> = () => ({});

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(secret = SECRET, port = 0): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    const webhook = new Webhook(secret);
    server.on('request', (request, response) => void receiver.#take(webhook, request, response));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // it listens
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hooks?token=hidden`;
  }

  /** What was accepted, once each, in the order of arrival. */
  get messages(): Received[] {
    const seen = new Set<string>();
    return this.attempts.filter(({ id }) => {
      if (seen.has(id) || !this.accepted.has(id)) return false;
      seen.add(id);
      return true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #take(webhook: Webhook, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.underWay += 1;
    this.mostUnderWay = Math.max(this.mostUnderWay, this.underWay);
    response.once('close', () => {
      this.underWay -= 1;
    });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer); // of a request's body
    const raw = Buffer.concat(chunks).toString();
    const headers = request.headers as Record<string, string>; // single ones, of those that matter
    const message: Received = {
      id: headers['webhook-id'] ?? '',
      headers,
      raw,
      body: JSON.parse(raw),
      verified: isVerified(webhook, raw, headers),
    };
    this.attempts.push(message);
    const { status = 204, headers: more = {}, hang = false, cut = false } = await this.reply(message);
    if (hang) return;
    if (cut) {
      request.socket.destroy();
      return;
    }
    if (status >= 200 && status <= 299) this.accepted.add(message.id);
    response.writeHead(status, more).end();
  }
}

function isVerified(webhook: Webhook, raw: string, headers: Record<string, string>): boolean {
  try {
    webhook.verify(raw, headers);
    return true;
  } catch {
    return false;
  }
}
