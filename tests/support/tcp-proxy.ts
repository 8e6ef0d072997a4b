import { connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server, and is as bad as networks are. */
export class TcpProxy {
  /** Of the server, with ourselves in its place. */
  readonly #url: URL;
  readonly #target: { host: string; port: number };
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((client) => this.#join(client));
  #lost: string | null = null;
  #silent = false;
  #delayMs = 0;

  private constructor(url: string) {
    this.#url = new URL(url);
    this.#target = { host: this.#url.hostname, port: Number(this.#url.port || 5432) };
  }

  /** @param url of a server */
  static async before(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(url);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    const address = proxy.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    proxy.#url.host = `127.0.0.1:${port}`;
    return proxy;
  }

  get url(): string {
    return this.#url.href;
  }

  /** Passes the commit of the next transaction that has told this text on to the server, and cuts before it can answer. */
  loseCommitOf(text: string): void {
    this.#lost = text;
  }

  /** From now on answers take so much longer. */
  slowDown(ms: number): void {
    this.#delayMs = ms;
  }

  /** From now on nothing comes through, and nobody is told. */
  goSilent(): void {
    this.#silent = true;
  }

  /** Ends what is there, and lets new connections through. */
  recover(): void {
    this.#silent = false;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.recover();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(client: Socket): void {
    const server = connect(this.#target);
    let deaf = false;
    let told = false;
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
      told ||= this.#lost !== null && data.includes(this.#lost);
      if (!told || !data.includes('commit')) return;
      this.#lost = null;
      deaf = true;
      server.once('data', () => client.destroy());
    });
    server.on('data', (data) => {
      if (deaf || this.#silent) return;
      if (this.#delayMs === 0) client.write(data);
      else setTimeout(() => client.write(data), this.#delayMs);
    });
  }
}
