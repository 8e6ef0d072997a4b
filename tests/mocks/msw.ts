import { HttpResponse, http, type RequestHandler } from 'msw';
import type { Sandbox } from './sandbox.ts';

export interface SandboxHandlersOptions {
  /** What the client under test calls Attio. @default https://api.attio.com/v2 */
  readonly baseUrl?: string;
}

/** The sandbox behind MSW: the same core and the same answers as over HTTP. */
export function sandboxHandlers(sandbox: Sandbox, options: SandboxHandlersOptions = {}): RequestHandler[] {
  const base = (options.baseUrl ?? 'https://api.attio.com/v2').replace(/\/$/, '');
  const prefix = new URL(base).pathname.replace(/\/$/, '');
  return [
    http.all(`${base}/*`, async ({ request }) => {
      const url = new URL(request.url);
      url.pathname = `/v2${url.pathname.slice(prefix.length)}`;
      const body = request.body === null ? null : await request.text();
      const moved = new Request(url, { method: request.method, headers: request.headers, body });
      const answer = await sandbox.handle(moved);
      if (answer instanceof Response) return answer;
      return answer.fault === 'hang' ? new Promise<never>(() => {}) : HttpResponse.error();
    }),
  ];
}
