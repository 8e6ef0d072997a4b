import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { AllowedHosts } from '../../../src/outbound/addresses.ts';
import { type LookUp, OutboundSender } from '../../../src/outbound/sender.ts';

/** A server on this machine, and how often it was asked. */
async function serve(listener: RequestListener = (_, response) => void response.writeHead(204).end()) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port, // it listens
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Each look-up gets the next of these answers, the last one for ever. */
function names(...answers: readonly (readonly string[])[]): LookUp & { asked: () => number } {
  let asked = 0;
  const lookUp: LookUp = (_hostname, _options, done) => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return Object.assign(lookUp, { asked: () => asked });
}

function senderFor(allowed: readonly string[], lookUp?: LookUp): OutboundSender {
  return new OutboundSender({
    allowed: new AllowedHosts(allowed),
    userAgent: 'test/1',
    keptConnections: 2,
    ...(lookUp === undefined ? {} : { lookUp }),
  });
}

function post(sender: OutboundSender, url: string, signal = AbortSignal.timeout(10_000)) {
  return sender.post({ url: new URL(url), headers: { 'x-test': '1' }, body: '{"a":"ä"}', signal });
}

describe('a request', () => {
  test.each([
    'http://127.0.0.1:{port}/',
    'http://[::1]:{port}/',
    'http://[::ffff:127.0.0.1]:{port}/',
    'http://0.0.0.0:{port}/',
    'http://localhost:{port}/',
    'http://LOCALHOST:{port}/',
    'http://2130706433:{port}/',
    'http://0177.0.0.1:{port}/',
  ])('to %s is refused, and reaches nobody', async (template) => {
    await using server = await serve();
    const sender = senderFor([]);
    await expect(post(sender, template.replace('{port}', String(server.port)))).rejects.toThrow(
      'leads to a loopback address',
    );
    expect(server.asked()).toBe(0);
    sender.close();
  });

  test.each([
    [['127.0.0.1'], 'loopback'],
    [['10.1.2.3'], 'private'],
    [['169.254.169.254'], 'metadata'],
    [['::ffff:127.0.0.1'], 'loopback'],
    [['64:ff9b::7f00:1'], 'loopback'],
    [['fd00::1'], 'private'],
    [['93.184.216.34', '127.0.0.1'], 'loopback'],
  ])('to a name that leads to %j is refused', async (addresses, refusal) => {
    await using server = await serve();
    const sender = senderFor([], names(addresses));
    const url = `http://hooks.example.com:${server.port}/`;
    await expect(post(sender, url)).rejects.toThrow(`leads to a ${refusal} address`);
    await expect(sender.probe(new URL(url))).rejects.toThrow(`leads to a ${refusal} address`);
    expect(server.asked()).toBe(0);
    sender.close();
  });

  test('to a name that leads elsewhere at the second look is refused: each look is the one that is connected by', async () => {
    await using server = await serve();
    const lookUp = names(['93.184.216.34'], ['127.0.0.1']);
    const sender = senderFor([], lookUp);
    const url = new URL(`http://rebind.example.com:${server.port}/`);
    await sender.probe(url);
    await expect(post(sender, url.href)).rejects.toThrow('leads to a loopback address');
    expect([lookUp.asked(), server.asked()]).toEqual([2, 0]);
    sender.close();
  });

  test('asks for a name once, however many go there at once', async () => {
    await using server = await serve();
    let asked = 0;
    const slow: LookUp = (_hostname, _options, done) => {
      asked += 1;
      setImmediate(() => done(null, [{ address: '127.0.0.1', family: 4 }]));
    };
    const sender = senderFor(['127.0.0.1'], slow);
    const url = `http://hooks.example.com:${server.port}/`;
    await Promise.all(Array.from({ length: 10 }, () => post(sender, url)));
    expect([asked, server.asked()]).toEqual([1, 10]);
    sender.close();
  });

  test('goes where the configuration allows it, by name, address or range', async () => {
    await using server = await serve();
    const at = (host: string) => `http://${host}:${server.port}/in`;
    const lookUp = names(['127.0.0.1']);
    for (const [allowed, host] of [
      ['erp.internal', 'erp.internal'],
      ['127.0.0.0/8', 'other.internal'],
      ['127.0.0.1', '127.0.0.1'],
    ] as const) {
      const sender = senderFor([allowed], lookUp);
      expect((await post(sender, at(host))).status).toBe(204);
      sender.close();
    }
    expect(server.asked()).toBe(3);
  });

  test('bears its headers, its length and who sends it', async () => {
    let seen: unknown;
    await using server = await serve((request, response) => {
      seen = request.headers;
      response.writeHead(200).end('{}');
    });
    const sender = senderFor(['127.0.0.1']);
    await post(sender, `http://127.0.0.1:${server.port}/`);
    expect(seen).toMatchObject({ 'x-test': '1', 'user-agent': 'test/1', 'content-length': '10' });
    sender.close();
  });

  test('follows no redirect', async () => {
    await using target = await serve();
    await using server = await serve((_, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${target.port}/` }).end();
    });
    const sender = senderFor(['127.0.0.1']);
    expect((await post(sender, `http://127.0.0.1:${server.port}/`)).status).toBe(307);
    expect([server.asked(), target.asked()]).toEqual([1, 0]);
    sender.close();
  });

  test('is answered when the head of the answer is there, however long the rest is', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200, { 'retry-after': '7' });
      const more = () => {
        if (response.destroyed) return;
        response.write('x'.repeat(10_000));
        setImmediate(more);
      };
      more();
    });
    const sender = senderFor(['127.0.0.1']);
    const answer = await post(sender, `http://127.0.0.1:${server.port}/`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([200, '7']);
    sender.close();
  });

  test('ends with its signal', async () => {
    await using server = await serve(() => {});
    const sender = senderFor(['127.0.0.1']);
    const stop = new AbortController();
    const posting = post(sender, `http://127.0.0.1:${server.port}/`, stop.signal);
    stop.abort(new Error('the time is over'));
    await expect(posting).rejects.toThrow('the time is over');
    sender.close();
  });

  test('uses a connection again, and makes a new one when the other side has closed it meanwhile', async () => {
    let connections = 0;
    const server = createServer((_, response) => void response.writeHead(204).end());
    server.keepAliveTimeout = 0;
    server.on('connection', (socket) => {
      connections += 1;
      // The first one is closed when a second request comes by it.
      let requests = 0;
      if (connections === 1) {
        socket.prependListener('data', () => {
          requests += 1;
          if (requests === 3) socket.resetAndDestroy();
        });
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`; // it listens
    const sender = senderFor(['127.0.0.1']);
    for (let turn = 0; turn < 4; turn += 1) expect((await post(sender, url)).status).toBe(204);
    expect(connections).toBe(2);
    sender.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
});

test('a name that nobody has is said so', async () => {
  const nobody: LookUp = (_, __, done) => done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), []);
  const sender = senderFor([], nobody);
  await expect(sender.probe(new URL('https://nobody.example.com/'))).rejects.toThrow(
    'cannot be looked up (ENOTFOUND)',
  );
  await expect(post(sender, 'https://nobody.example.com/')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  sender.close();
});
