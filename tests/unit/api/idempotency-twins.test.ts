import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/domain/clock.ts';
import { StorageUnavailableError } from '../../../src/domain/storage.ts';
import { systemClock } from '../../../src/queue/clock.ts';
import { ServiceError } from '../../../src/services/errors.ts';
import { BATCH_URL, ONE, receipt, setUp } from './keyed.ts';
import { AUTHORIZED, MemoryIdempotency, type TestServer } from './support.ts';

describe('twins at once', () => {
  it('of fifty, one is done and all get its answer', async () => {
    const { app, executed } = setUp({
      batch: async (n) => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return receipt(n);
      },
    });
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const responses = await Promise.all(
      Array.from({ length: 50 }, () =>
        fetch(`${address}${BATCH_URL}`, {
          method: 'POST',
          headers: { ...AUTHORIZED, 'content-type': 'application/json', 'idempotency-key': 'k' },
          body: JSON.stringify(ONE),
        }),
      ),
    );
    const bodies = await Promise.all(responses.map((response) => response.text()));
    expect(new Set(responses.map((response) => response.status))).toEqual(new Set([202]));
    expect(new Set(bodies).size).toBe(1);
    expect(executed).toHaveLength(1);
    expect(responses.filter((response) => response.headers.has('idempotency-replayed'))).toHaveLength(49);
  });

  it('that differ are refused at once', async () => {
    const gate = Promise.withResolvers<void>();
    const { send } = setUp({ batch: (n) => gate.promise.then(() => receipt(n)) });
    const first = send('k');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await send('k', { payload: { contacts: [{ email: 'b@example.com' }] } })).statusCode).toBe(422);
    gate.resolve();
    expect((await first).statusCode).toBe(202);
  });

  it('try one after the other when it cannot be done', async () => {
    let atOnce = 0;
    const { send, executed } = setUp({
      batch: async (n) => {
        atOnce += 1;
        expect(atOnce).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        atOnce -= 1;
        if (n < 4) throw new ServiceError('unavailable', 'not now');
        return receipt(n);
      },
    });
    const responses = await Promise.all(Array.from({ length: 8 }, () => send('k')));
    const statuses = responses.map((response) => response.statusCode).sort();
    expect(statuses).toEqual([202, 202, 202, 202, 202, 503, 503, 503]);
    expect(executed).toHaveLength(4);
  });

  it('wait for 30 s and no longer', async () => {
    const timers = systemClock();
    const slept: number[] = [];
    const clock: Clock = {
      now: () => 0,
      sleep: (ms, signal) => {
        slept.push(ms);
        return timers.sleep(20, signal);
      },
    };
    const gate = Promise.withResolvers<void>();
    const { send, executed } = setUp({ clock, batch: (n) => gate.promise.then(() => receipt(n)) });
    const first = send('k');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = await send('k');
    expect(slept).toEqual([30_000]);
    expect(second.statusCode).toBe(409);
    expect(second.headers['retry-after']).toBe('5');
    expect(second.json().type).toBe('urn:attio-bridge:problem:idempotency-key-in-use');
    gate.resolve();
    expect((await first).statusCode).toBe(202);
    expect((await send('k')).body).toBe((await first).body);
    expect(executed).toHaveLength(1);
  });

  it('do not hold up a stop', async () => {
    const gate = Promise.withResolvers<void>();
    const { send, draining } = setUp({ batch: (n) => gate.promise.then(() => receipt(n)) });
    const first = send('k');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const second = send('k');
    await new Promise((resolve) => setTimeout(resolve, 20));
    draining.abort();
    expect((await second).statusCode).toBe(409);
    gate.resolve();
    expect((await first).statusCode).toBe(202);
  });

  it('are not taken for running when only the answer of the database was lost', async () => {
    class LosingAnswers extends MemoryIdempotency {
      losses = 1;
      override async begin(request: Parameters<MemoryIdempotency['begin']>[0]) {
        const known = await super.begin(request);
        this.losses -= 1;
        if (this.losses >= 0) throw new StorageUnavailableError('lost');
        return known;
      }
    }
    const { send, executed } = setUp({ store: new LosingAnswers() });
    expect((await send('k')).statusCode).toBe(503);
    expect((await send('k')).statusCode).toBe(202);
    expect((await send('k')).statusCode).toBe(202);
    expect(executed).toHaveLength(1);
  });

  it('of another process are told to come again', async () => {
    const { send, store, executed } = setUp();
    await send('k');
    const [[scope, row] = []] = [...store.rows];
    if (scope !== undefined && row !== undefined) store.rows.set(scope, { ...row, reply: null });
    expect((await send('k')).statusCode).toBe(409);
    expect(executed).toHaveLength(1);
  });
});

/** Sends a request over a socket, and closes it once the server is at work. */
async function sendAndGoAway(app: TestServer['app'], atWork: Promise<unknown>): Promise<void> {
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  const client = new AbortController();
  const gone = once(app.server, 'connection').then(([socket]) => once(socket, 'close'));
  const request = fetch(`${address}${BATCH_URL}`, {
    method: 'POST',
    headers: { ...AUTHORIZED, 'content-type': 'application/json', 'idempotency-key': 'k' },
    body: JSON.stringify(ONE),
    signal: client.signal,
  });
  await atWork;
  client.abort();
  await expect(request).rejects.toThrow();
  await gone;
}

describe('a client that goes away', () => {
  it('finds the answer when it comes again', async () => {
    const began = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const { app, send, store, executed } = setUp({
      batch: async (n) => {
        began.resolve();
        await goOn.promise;
        return receipt(n);
      },
    });
    await sendAndGoAway(app, began.promise);
    goOn.resolve();
    const again = await send('k');
    expect(again.statusCode).toBe(202);
    expect(again.headers['idempotency-replayed']).toBe('true');
    expect(again.json().data.id).toBe('batch-1');
    expect(executed).toHaveLength(1);
    expect([...store.rows.values()].map(({ reply }) => reply?.status)).toEqual([202]);
  });

  it('may be the twin of one that stays', async () => {
    const began = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const { app, send, executed } = setUp({
      batch: async (n) => {
        began.resolve();
        await goOn.promise;
        return receipt(n);
      },
    });
    const stays = send('k');
    await began.promise;
    await sendAndGoAway(app, new Promise((resolve) => setTimeout(resolve, 100)));
    goOn.resolve();
    expect((await stays).json().data.id).toBe('batch-1');
    expect((await send('k')).headers['idempotency-replayed']).toBe('true');
    expect(executed).toHaveLength(1);
  });
});

describe('without its store', () => {
  class Failing extends MemoryIdempotency {
    failing: 'begin' | 'finish' | 'release' | null = null;

    override async begin(request: Parameters<MemoryIdempotency['begin']>[0]) {
      this.#check('begin');
      return super.begin(request);
    }

    override async finish(...args: Parameters<MemoryIdempotency['finish']>) {
      this.#check('finish');
      return super.finish(...args);
    }

    override async release(scope: string) {
      this.#check('release');
      return super.release(scope);
    }

    #check(step: Failing['failing']): void {
      if (this.failing === step) throw new StorageUnavailableError('locked');
    }
  }

  it('nothing is done', async () => {
    const store = new Failing();
    const { send, executed } = setUp({ store });
    store.failing = 'begin';
    const response = await send('k');
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('5');
    expect(executed).toEqual([]);
    store.failing = null;
    expect((await send('k')).statusCode).toBe(202);
  });

  it('an answer is given all the same, and kept later', async () => {
    const store = new Failing();
    const { send, executed, log } = setUp({ store });
    store.failing = 'finish';
    const first = await send('k');
    expect(first.statusCode).toBe(202);
    expect(log.some((line) => String(line['msg']).includes('could not be stored'))).toBe(true);
    expect((await send('k')).statusCode).toBe(503);
    store.failing = null;
    const second = await send('k');
    expect([second.statusCode, second.body]).toEqual([202, first.body]);
    expect(executed).toHaveLength(1);
  });

  it('a failure leaves no key that runs for ever', async () => {
    const store = new Failing();
    const unavailable = new ServiceError('unavailable', 'not now');
    const { send } = setUp({ store, batch: (n) => (n === 1 ? Promise.reject(unavailable) : receipt(n)) });
    store.failing = 'release';
    expect((await send('k')).statusCode).toBe(503);
    store.failing = null;
    expect((await send('k')).json().data.id).toBe('batch-2');
  });
});
