import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/** The preferred port when nothing listens there, otherwise a free one. */
export async function freePort(preferred: number): Promise<number> {
  return (await listenOnce(preferred)) ?? (await listenOnce(0)) ?? preferred;
}

/** @returns null when the port is taken or may not be had */
function listenOnce(port: number): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const server = createServer();
  server.once('error', () => resolve(null));
  server.listen(port, HOST, () => {
    const address = server.address();
    const bound = typeof address === 'object' && address !== null ? address.port : null;
    server.close(() => resolve(bound));
  });
  return promise;
}
