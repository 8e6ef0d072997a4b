import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Problem, sendProblem } from './problem.ts';

/** Which methods each path takes, to tell a wrong method from a wrong path. */
export class MethodTable {
  readonly #methods = new Map<string, { readonly path: RegExp; readonly methods: Set<string> }>();

  /** Learns every route that is registered from now on, in whichever plugin. */
  watch(app: FastifyInstance): void {
    app.addHook('onRoute', ({ url, method }) => {
      const known = this.#methods.get(url) ?? { path: toPattern(url), methods: new Set<string>() };
      for (const one of [method].flat()) known.methods.add(one);
      this.#methods.set(url, known);
    });
  }

  /** @returns the methods of a path, sorted; none when there is no such path */
  allowed(path: string): string[] {
    const matching = [...this.#methods.values()].filter((known) => known.path.test(path));
    return [...new Set(matching.flatMap(({ methods }) => [...methods]))].sort();
  }
}

function toPattern(url: string): RegExp {
  const source = url.split(/(:\w+|\*)/).map((part) => {
    if (part === '*') return '.*';
    return part.startsWith(':') ? '[^/]+' : RegExp.escape(part);
  });
  return new RegExp(`^${source.join('')}$`);
}

/** The handler of requests that no route takes. */
export function notFoundHandler(table: MethodTable) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const allowed = table.allowed(request.url.split('?', 1)[0] ?? '');
    // A route may take the path and have nothing there, such as a file.
    const wrong = allowed.length > 0 && !allowed.includes(request.method);
    return sendProblem(request, reply, wrong ? wrongMethod(request.method, allowed) : noRoute());
  };
}

function noRoute(): Problem {
  return {
    status: 404,
    kind: 'not-found',
    detail: 'There is no such path here. GET /openapi.json lists those there are.',
  };
}

function wrongMethod(method: string, allowed: readonly string[]): Problem {
  const allow = allowed.join(', ');
  return {
    status: 405,
    kind: 'method-not-allowed',
    detail: `This path does not take ${method}. It takes ${allow}.`,
    headers: { allow },
  };
}
