import { isFault } from './core/exchange.ts';
import type { Sandbox } from './sandbox.ts';

function connectionLost(): TypeError {
  const cause = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' });
  return new TypeError('fetch failed', { cause });
}

/** The outcome of the work, or the reason of the signal, whichever comes first. */
function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const give = () => reject(signal.reason);
    if (signal.aborted) give();
    signal.addEventListener('abort', give, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', give));
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
    const work = sandbox.exchange({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    });
    const answer = await abortable(work, signal);
    if (!isFault(answer)) {
      return new Response(answer.body, { status: answer.status, headers: { ...answer.headers } });
    }
    if (answer.fault === 'disconnect') throw connectionLost();
    return abortable(new Promise<never>(() => {}), signal);
  };
}
