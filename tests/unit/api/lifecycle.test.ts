import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { AUTHORIZED, createTestServer, RUN, type TestServer } from './support.ts';

/** These are about sockets, so they use real ones. */
const open: TestServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.app.close();
});

/** A server with a feed that waits until it is told to end. */
async function listen() {
  const { promise: waiting, resolve: started } = Promise.withResolvers<AbortSignal>();
  const untilAborted = async (signal: AbortSignal) => {
    started(signal);
    if (!signal.aborted) await once(signal, 'abort');
  };
  const server = createTestServer({
    services: {
      changes: {
        read: async ({ signal }) => {
          await untilAborted(signal);
          return { rows: [], next: 5 };
        },
      },
      sync: {
        start: async () => ({ runId: 'run-1', alreadyRunning: false }),
        wait: async (_runId, _ms, signal) => {
          await untilAborted(signal);
          return { ...RUN, status: 'running' };
        },
      },
    },
  });
  open.push(server);
  const address = await server.app.listen({ host: '127.0.0.1', port: 0 });
  return { ...server, address, waiting };
}

/** What comes back for bytes on a bare socket. */
async function exchange(address: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk) => {
    answer += String(chunk);
  });
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}

describe('a long wait', () => {
  it.each([
    ['GET', '/v1/changes?wait=30'],
    ['POST', '/v1/sync/people?wait=true'],
  ])('of %s %s goes on while the client is there, and ends when it goes away', async (method, path) => {
    const { address, waiting, log } = await listen();
    const client = new AbortController();
    const request = fetch(`${address}${path}`, { method, headers: AUTHORIZED, signal: client.signal });
    const signal = await waiting;
    await fetch(`${address}/health/live`);
    expect(signal.aborted).toBe(false);
    client.abort();
    await expect(request).rejects.toThrow();
    if (!signal.aborted) await once(signal, 'abort');
    const line = log.find((entry) => entry['status'] === 499);
    expect(line).toMatchObject({ msg: 'request', method, route: expect.stringContaining('/v1/') });
  });

  it('ends with an answer when the service is on its way down', async () => {
    const { address, waiting, draining } = await listen();
    const request = fetch(`${address}/v1/changes?wait=30`, { headers: AUTHORIZED });
    await waiting;
    draining.abort();
    const response = await request;
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ data: [] });
  });

  it('does not hold up the closing of the server', async () => {
    const { address, waiting, app } = await listen();
    const request = fetch(`${address}/v1/sync/all?wait=true`, { method: 'POST', headers: AUTHORIZED });
    await waiting;
    const closed = app.close();
    expect((await request).status).toBe(202);
    await closed;
  });
});

describe('what is no request', () => {
  it.each([
    ['GARBAGE\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['POST /webhooks HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd', 400],
  ])('%# is answered with a problem', async (bytes, status) => {
    const { address } = await listen();
    const answer = await exchange(address, bytes);
    const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
    expect(head).toContain(`HTTP/1.1 ${status} `);
    expect(head).toContain('content-type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ status, type: 'urn:attio-bridge:problem:bad-request' });
  });
});
