import { isFault } from './core/exchange.ts';
import type { Sandbox } from './sandbox.ts';

function connectionLost(): TypeError {
  const cause = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
  return new TypeError('fetch failed', { cause });
}

function untilAborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal === null || signal === undefined) return;
    const give = () => reject(signal.reason);
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
}

/**
 * A `fetch` that asks the sandbox without a socket, for unit tests and simulations. A cut connection rejects as
 * undici does; a hanging one only ends with the caller's signal.
 */
export function inProcessFetch(sandbox: Sandbox): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const signal = init?.signal ?? request.signal;
    const answered = sandbox.exchange({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    });
    const answer = await Promise.race([answered, untilAborted(signal)]);
    if (!isFault(answer)) {
      return new Response(answer.body, { status: answer.status, headers: { ...answer.headers } });
    }
    if (answer.fault === 'disconnect') throw connectionLost();
    return untilAborted(signal);
  };
}
