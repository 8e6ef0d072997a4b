import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isFault, type PlainAnswer } from './core/exchange.ts';
import type { SandboxOptions } from './options.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';

export interface SandboxServerOptions extends SandboxOptions {
  /** @default 0, which picks one */
  readonly port?: number;
  /** @default 127.0.0.1 */
  readonly host?: string;
}

export interface SandboxServer {
  /** Without a path: the API is under `/v2`, the controls under `/_sandbox`. */
  readonly url: string;
  readonly sandbox: Sandbox;
  close(): Promise<void>;
}

async function readAll(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function headersOf(message: IncomingMessage): Record<string, string | undefined> {
  const pairs = Object.entries(message.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value[0] : value,
  ]);
  return Object.fromEntries(pairs);
}

function send(answer: PlainAnswer, response: ServerResponse): void {
  if (!isFault(answer)) {
    const length = { 'content-length': String(Buffer.byteLength(answer.body)) };
    response.writeHead(answer.status, { ...answer.headers, ...length }).end(answer.body);
  } else if (answer.fault === 'disconnect') {
    response.socket?.destroy();
  }
  // A hanging answer is left open: the client gives up, or the server is closed.
}

async function serve(sandbox: Sandbox, message: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { method = 'GET', url = '/' } = message;
    const body = await readAll(message);
    send(await sandbox.exchange({ method, url, headers: headersOf(message), body }), response);
  } catch (error) {
    if (response.destroyed) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    response.writeHead(500, { 'content-type': 'text/plain' }).end(`The sandbox itself failed: ${text}\n`);
  }
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

function urlOf({ address, port, family }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

export async function startSandboxServer(options: SandboxServerOptions = {}): Promise<SandboxServer> {
  const { port = 0, host = '127.0.0.1', ...rest } = options;
  const sandbox = createSandbox(rest);
  const server = createServer((message, response) => void serve(sandbox, message, response));
  server.keepAliveTimeout = 60_000;
  const address = await listen(server, port, host);
  return {
    url: urlOf(address),
    sandbox,
    close() {
      sandbox.close();
      return new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
