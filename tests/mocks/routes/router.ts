import type { z } from 'zod';
import { AttioError, schemaError } from '../core/errors.ts';
import type { Actor, Stamp } from '../core/types.ts';
import type { World } from '../state/world.ts';
import type { WebhookRegistry } from '../webhooks/registry.ts';

/** What a handler works with: the checked request and the workspace. */
export interface Call<Body = unknown, Query = unknown> {
  readonly world: World;
  readonly webhooks: WebhookRegistry;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
  readonly token: TokenState;
  /** One instant for everything a request writes. */
  stamp(): Stamp;
  header(name: string, value: string): void;
}

export interface TokenState {
  readonly kind: 'live' | 'revoked' | 'missing';
  readonly actor: Actor;
  readonly clientId: string;
  /** Such as `note:read-write`. */
  readonly scopes: readonly string[];
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface RouteSpec<Body extends z.ZodType, Query extends z.ZodType> {
  readonly method: Method;
  /** After the OpenAPI: `/objects/{object}/records`; `{target}` is `objects` or `lists`. */
  readonly path: string;
  readonly body?: Body;
  readonly query?: Query;
  /** Answers whoever asks, as `/self` does. */
  readonly open?: boolean;
  handle(call: Call<z.output<Body>, z.output<Query>>): unknown;
}

export interface Route {
  readonly method: Method;
  readonly path: string;
  readonly open: boolean;
  readonly segments: readonly string[];
  run(call: Call): unknown;
}

function check(
  schema: z.ZodType | undefined,
  where: 'Body payload' | 'Query params',
  input: unknown,
): unknown {
  if (schema === undefined) return input;
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw schemaError(where, parsed.error, input);
  return parsed.data;
}

export function route<Body extends z.ZodType = z.ZodUnknown, Query extends z.ZodType = z.ZodUnknown>(
  spec: RouteSpec<Body, Query>,
): Route {
  return {
    method: spec.method,
    path: spec.path,
    open: spec.open ?? false,
    segments: spec.path.split('/').slice(1),
    run(call) {
      const query = check(spec.query, 'Query params', call.query) as z.output<Query>;
      const body = check(spec.body, 'Body payload', call.body) as z.output<Body>;
      return spec.handle({ ...call, query, body });
    },
  };
}

export interface Match {
  readonly route: Route;
  readonly params: Record<string, string>;
}

function matchSegment(pattern: string, segment: string, params: Record<string, string>): boolean {
  if (!pattern.startsWith('{')) return pattern === segment;
  const name = pattern.slice(1, -1);
  if (name === 'target' && segment !== 'objects' && segment !== 'lists') return false;
  params[name] = segment;
  return segment !== '';
}

function matchRoute(candidate: Route, segments: readonly string[]): Record<string, string> | null {
  const params: Record<string, string> = {};
  const fits = candidate.segments.every((pattern, index) =>
    matchSegment(pattern, segments[index] ?? '', params),
  );
  return fits ? params : null;
}

/** Finds routes by method and number of segments; the first that fits wins, so fixed paths come before patterns. */
export class Router {
  readonly #routes = new Map<string, Route[]>();

  constructor(routes: readonly Route[]) {
    for (const one of routes) {
      const key = `${one.method} ${one.segments.length}`;
      this.#routes.set(key, [...(this.#routes.get(key) ?? []), one]);
    }
  }

  find(method: string, path: string): Match | null {
    const segments = path.split('/').slice(1).map(decode);
    for (const candidate of this.#routes.get(`${method} ${segments.length}`) ?? []) {
      const params = matchRoute(candidate, segments);
      if (params !== null) return { route: candidate, params };
    }
    return null;
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A path parameter of the matched pattern. */
export function param(call: Pick<Call, 'params'>, name: string): string {
  const value = call.params[name];
  if (value === undefined) throw new AttioError(500, 'internal_error', `Route without parameter ${name}.`);
  return value;
}
