import { AttioApiError } from './errors.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A route as Attio's documentation writes it: `GET /objects/{object}/records/{record_id}`. */
export type Endpoint = `${Method} /${string}`;

type ParameterOf<E extends string> = E extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterOf<Rest>
  : never;

export interface Route {
  readonly method: Method;
  readonly path: string;
  /** The template, for metrics. */
  readonly endpoint: Endpoint;
}

/**
 * Fills in a template. A variable part can never leave its segment of the path.
 * @throws AttioApiError `validation` (never sent) for a part that is no id or slug of Attio
 */
export function route<const E extends Endpoint>(
  endpoint: E,
  parameters: Readonly<Record<ParameterOf<E>, string>>,
): Route {
  const [method, template = ''] = endpoint.split(' ');
  const parts: Readonly<Record<string, string>> = parameters;
  const path = template.replace(/\{(\w+)\}/g, (_, name: string) =>
    segment(endpoint, name, parts[name] ?? ''),
  );
  return { method: method as Method, path, endpoint }; // the type of Endpoint says what stands before the space
}

/** Dots alone would be resolved by the URL parser, also when they are escaped, and change the route. */
const UNADDRESSABLE = /^\.{0,2}$/;

function segment(endpoint: Endpoint, name: string, part: string): string {
  if (UNADDRESSABLE.test(part) || !part.isWellFormed()) {
    const detail = `The ${name} in the address is empty or no text that an address can hold.`;
    throw new AttioApiError('validation', { endpoint, detail });
  }
  return encodeURIComponent(part);
}
