import { type SandboxServer, type SandboxServerOptions, startSandboxServer } from './http-server.ts';
import { loadAttioOpenApi, type Validator } from './openapi-validator.ts';

/** An answer with its JSON read. Tests look into it freely. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by tests, which fail when a member is missing
  readonly body: any;
}

export interface TestSandbox extends SandboxServer {
  api(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer>;
  /** A request to `/_sandbox`. */
  control(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
  /** What the exchanges so far had against the vendor's document. */
  readonly problems: string[];
  readonly validator: Validator | null;
}

async function ask(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<ApiAnswer> {
  const sent = body === undefined ? null : JSON.stringify(body);
  const answer = await fetch(url, {
    method,
    body: sent,
    headers: { 'content-type': 'application/json', ...headers },
  });
  const text = await answer.text();
  const json = answer.headers.get('content-type')?.includes('json') === true;
  return { status: answer.status, headers: answer.headers, body: json ? JSON.parse(text) : text };
}

/** A sandbox on a free port, without limits unless asked for, every exchange checked against the vendor's document. */
export async function startTestSandbox(options: SandboxServerOptions = {}): Promise<TestSandbox> {
  const validator = loadAttioOpenApi();
  const problems: string[] = [];
  const server = await startSandboxServer({
    rateLimits: false,
    onExchange: (exchange) => problems.push(...(validator?.check(exchange) ?? [])),
    ...options,
  });
  return {
    ...server,
    problems,
    validator,
    api: (method, path, body, headers) =>
      ask(`${server.url}/v2${path}`, method, body, { authorization: 'Bearer test', ...headers }),
    control: (method, path, body) => ask(`${server.url}/_sandbox${path}`, method, body, {}),
  };
}
