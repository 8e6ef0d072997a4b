import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** Attio's. */
const ATTEMPT_MS = 10_000;
const LOOK_EVERY_MS = 250;

export interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  /** 0: none. */
  readonly status: number;
  /** 0: not told. @unit s */
  readonly retryAfter: number;
}

const NONE: Answer = { status: 0, retryAfter: 0 };

interface Target {
  readonly url: string;
  isUp: boolean;
}

/** Round robin over those that say that they are ready, as they are looked at four times a second. */
export class Balancer {
  readonly #targets: readonly Target[];
  readonly #agent = new Agent({ keepAlive: true });
  #turn = 0;
  #isClosed = false;

  constructor(urls: readonly string[]) {
    this.#targets = urls.map((url) => ({ url, isUp: true }));
    for (const target of this.#targets) void this.#watch(target);
  }

  async #watch(target: Target): Promise<void> {
    while (!this.#isClosed) {
      const { status } = await this.#ask(target.url, { method: 'GET', path: '/health/ready' });
      target.isUp = status === 200;
      await sleep(LOOK_EVERY_MS);
    }
  }

  async send(sent: Request): Promise<Answer> {
    this.#turn += 1;
    const up = this.#targets.filter(({ isUp }) => isUp);
    const target = up[this.#turn % up.length];
    if (target === undefined) return NONE;
    const answer = await this.#ask(target.url, sent);
    if (answer.status === 0) target.isUp = false;
    return answer;
  }

  #ask(url: string, { method, path, body = '', headers }: Request): Promise<Answer> {
    return new Promise((resolve) => {
      const length = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const options = { method, agent: this.#agent, timeout: ATTEMPT_MS, headers: { ...length, ...headers } };
      const asked = request(`${url}${path}`, options, (response) => {
        const { statusCode: status = 0, headers: answered } = response;
        response.on('error', () => resolve(NONE));
        response.on('end', () => resolve({ status, retryAfter: Number(answered['retry-after'] ?? 0) }));
        response.resume();
      });
      asked.on('timeout', () => asked.destroy());
      asked.on('error', () => resolve(NONE));
      asked.end(body);
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#agent.destroy();
  }
}
