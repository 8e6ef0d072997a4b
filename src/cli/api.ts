import type { z } from 'zod';
import { createApp } from '../app.ts';
import type { AppConfig } from '../config.ts';
import { createLogger } from '../monitoring/logger.ts';
import { CommandError, type Io } from './io.ts';

interface Answer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
}

/** The service's REST API, wherever it is answered. */
export interface Api {
  /** `service`: a process of its own. `own`: an app inside of this command, which ends with it. */
  readonly face: 'service' | 'own';
  request(method: Method, path: string, body?: unknown): Promise<Answer>;
  /** Of `own`: ends what runs; what is not done is left to be resumed. Never rejects. */
  close(): Promise<void>;
}

type Method = 'GET' | 'POST' | 'DELETE';

/** Longer than the service takes for anything that is asked here. */
const REQUEST_TIMEOUT_MS = 60_000;
const LIVE_TIMEOUT_MS = 1_500;

/** Asks the service of this configuration when it runs, and an app of our own when not. @throws CommandError */
export async function openApi(config: AppConfig, io: Io): Promise<Api> {
  const url = serviceUrl(config);
  return url !== null && (await isLive(url)) ? serviceApi(url, config) : ownApi(config, io);
}

/** Where the service of this configuration listens, seen from this machine; null: on a port that it picks itself. */
export function serviceUrl({ http: { host, port } }: AppConfig): string | null {
  if (port === 0) return null;
  const here: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };
  return `http://${here[host] ?? (host.includes(':') ? `[${host}]` : host)}:${port}`;
}

export async function isLive(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(LIVE_TIMEOUT_MS) });
    const body: unknown = await response.json();
    return (
      response.ok && typeof body === 'object' && body !== null && 'status' in body && body.status === 'ok'
    );
  } catch {
    return false;
  }
}

function serviceApi(url: string, config: AppConfig): Api {
  return {
    face: 'service',
    async request(method, path, body) {
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      try {
        const response = await fetch(url + path, {
          method,
          headers: headersFor(config, body),
          signal,
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return { status: response.status, body: await response.json() };
      } catch {
        throw new CommandError(`The service at ${url} does not answer any more.`);
      }
    },
    close: async () => {},
  };
}

async function ownApi(config: AppConfig, io: Io): Promise<Api> {
  const level = config.logLevel === 'silent' ? 'silent' : 'warn';
  let isOpen = true;
  // What its end cuts off in the background is nobody's concern.
  const destination = { write: (line: string) => void (isOpen && io.stderr.write(line)) };
  const logger = createLogger({ name: 'attio-bridge', level, destination });
  const app = createApp(config, { logger, ...io.overrides });
  try {
    await app.open();
  } catch (error) {
    await app.stop();
    throw error;
  }
  return {
    face: 'own',
    async request(method, url, body) {
      const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
      const answer = await app.http.inject({ method, url, headers: headersFor(config, body), ...payload });
      return { status: answer.statusCode, body: answer.json() };
    },
    close() {
      isOpen = false;
      return app.stop();
    },
  };
}

function headersFor({ http: { apiKeys } }: AppConfig, body: unknown): Record<string, string> {
  const [key] = apiKeys;
  return {
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
}

/**
 * Asks, and reads the answer.
 * @throws CommandError in the service's own words when it refuses
 */
export async function ask<T>(
  api: Api,
  schema: z.ZodType<T>,
  method: Method,
  path: string,
  body?: unknown,
): Promise<T> {
  const answer = await api.request(method, path, body);
  const parsed = schema.safeParse(answer.body);
  if (answer.status < 400 && parsed.success) return parsed.data;
  throw refusal(answer);
}

/** The same of a route whose answer says what is wrong by its body: 503 is an answer there. */
export async function askState<T>(api: Api, schema: z.ZodType<T>, path: string): Promise<T> {
  const answer = await api.request('GET', path);
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  throw refusal(answer);
}

function refusal({ status, body }: Answer): CommandError {
  const detail = typeof body === 'object' && body !== null && 'detail' in body ? String(body.detail) : null;
  if (status === 401) {
    return new CommandError(
      'The service that runs does not know our key.',
      'Start it with the same SERVICE_API_KEYS as this command, or the other way round.',
    );
  }
  return new CommandError(
    detail ?? `The service answers ${status}, in a way that this command does not know.`,
  );
}
