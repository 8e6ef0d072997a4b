import { connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server, and is as bad as networks are. */
export class TcpProxy {
  readonly #target: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#join(client));
  #cutAt: string | null = null;
  #silent = false;
  port = 0;

  constructor(target: { host: string; port: number }) {
    this.#target = target;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Passes the next message that holds this text on to the server, and then cuts before it can answer. */
  cutAfter(text: string): void {
    this.#cutAt = text;
  }

  /** From now on nothing comes through, and nobody is told. */
  goSilent(): void {
    this.#silent = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const server = connect(this.#target);
    let deaf = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        // What was sent last still has to arrive.
        server.end();
      });
    }
    client.on('data', (data) => {
      if (this.#silent) return;
      server.write(data);
      if (this.#cutAt === null || !data.includes(this.#cutAt)) return;
      this.#cutAt = null;
      deaf = true;
      server.once('data', () => client.destroy());
    });
    server.on('data', (data) => {
      if (!deaf && !this.#silent) client.write(data);
    });
  }
}
