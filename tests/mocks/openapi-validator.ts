import { existsSync, readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { Exchange } from './core/exchange.ts';
import { withDeviations } from './deviations.ts';
import type { Operation, Parameter, Spec } from './openapi-spec.ts';
import { splitUrl } from './pipeline.ts';

export interface Validator {
  /** What is wrong with an exchange, in sentences; empty when it is as Attio would have it. */
  check(exchange: Exchange): string[];
  /** Operations of the document that no checked exchange used, as "GET /v2/objects". */
  unused(): string[];
}

const DOCUMENT = new URL('../../../shared/attio/openapi-api.json', import.meta.url);

interface Found {
  readonly name: string;
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

function matchPath(pattern: string, path: string): Record<string, string> | null {
  const [wanted, given] = [pattern.split('/'), path.split('/')];
  if (wanted.length !== given.length) return null;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const segment = decodeURIComponent(given[index] ?? '');
    if (part.startsWith('{')) params[part.slice(1, -1)] = segment;
    else if (part !== segment) return null;
  }
  return params;
}

/** `/v2/{target}/...` fits objects and lists only. */
function fits(operation: Operation, params: Readonly<Record<string, string>>): boolean {
  return (operation.parameters ?? []).every(
    ({ name, in: place, schema }) =>
      place !== 'path' || schema.enum === undefined || schema.enum.includes(params[name]),
  );
}

function find(spec: Spec, method: string, path: string): Found | null {
  for (const [pattern, operations] of Object.entries(spec.paths)) {
    const operation = operations[method.toLowerCase()];
    const params = operation === undefined ? null : matchPath(pattern, path);
    if (operation === undefined || params === null || !fits(operation, params)) continue;
    return { name: `${method} ${pattern}`, path: pattern, method: method.toLowerCase(), operation, params };
  }
  return null;
}

function parseJson(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

class SpecValidator implements Validator {
  readonly #spec: Spec;
  readonly #ajv: Ajv2020;
  readonly #compiled = new Map<string, ValidateFunction>();
  readonly #used = new Set<string>();

  constructor(spec: Spec) {
    this.#spec = spec;
    this.#ajv = new Ajv2020({ strict: false, coerceTypes: false, allErrors: false });
    formats.default(this.#ajv);
    this.#ajv.addSchema({ ...spec, $id: 'attio' });
  }

  #validator(pointer: readonly string[]): ValidateFunction {
    const ref = pointer
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    let compiled = this.#compiled.get(ref);
    if (compiled === undefined) {
      compiled = this.#ajv.compile({ $ref: `attio#/${ref}` });
      this.#compiled.set(ref, compiled);
    }
    return compiled;
  }

  #test(pointer: readonly string[], value: unknown): string | null {
    const validate = this.#validator(pointer);
    return validate(value) ? null : this.#ajv.errorsText(validate.errors, { dataVar: '' });
  }

  check(exchange: Exchange): string[] {
    const { path, query } = splitUrl(exchange.url);
    const found = find(this.#spec, exchange.method, path);
    if (found === null) return this.#checkUnknown(exchange, path);
    this.#used.add(found.name);
    const problems = [
      ...(exchange.status < 400 ? this.#request(found, query, exchange) : []),
      ...this.#answer(found, exchange),
    ];
    return problems.map((problem) => `${found.name} ${exchange.status}: ${problem}`);
  }

  #checkUnknown(exchange: Exchange, path: string): string[] {
    return exchange.status === 404
      ? []
      : [`${exchange.method} ${path} is not in the document but answered ${exchange.status}`];
  }

  /** A refused request may be wrong; one that was carried out may not. */
  #request(found: Found, query: URLSearchParams, exchange: Exchange): string[] {
    const problems = (found.operation.parameters ?? []).flatMap((parameter, index) => {
      const given =
        parameter.in === 'path' ? found.params[parameter.name] : (query.get(parameter.name) ?? undefined);
      return this.#parameter(found, parameter, index, given);
    });
    const known = new Set((found.operation.parameters ?? []).map((one) => one.name));
    for (const name of query.keys()) if (!known.has(name)) problems.push(`unknown query parameter "${name}"`);
    if (found.operation.requestBody === undefined) return problems;
    const body = parseJson(exchange.requestBody);
    if (body === null) return [...problems, 'the request has no JSON body'];
    const pointer = [
      'paths',
      found.path,
      found.method,
      'requestBody',
      'content',
      'application/json',
      'schema',
    ];
    const wrong = this.#test(pointer, body.value);
    return wrong === null ? problems : [...problems, `request body: ${wrong}`];
  }

  #parameter(found: Found, parameter: Parameter, index: number, given: string | undefined): string[] {
    if (given === undefined)
      return parameter.required === true ? [`parameter "${parameter.name}" is missing`] : [];
    const types = [parameter.schema.type].flat();
    const value = types.includes('integer')
      ? Number(given)
      : types.includes('boolean')
        ? given === 'true'
        : given;
    const pointer = ['paths', found.path, found.method, 'parameters', String(index), 'schema'];
    const wrong = this.#test(pointer, value);
    return wrong === null ? [] : [`parameter "${parameter.name}": ${wrong}`];
  }

  #answer(found: Found, exchange: Exchange): string[] {
    const status = String(exchange.status);
    const declared = found.operation.responses[status];
    if (declared === undefined)
      return [`the status is not declared (${exchange.responseBody.slice(0, 200)})`];
    const body = parseJson(exchange.responseBody);
    if (body === null) return ['the answer is not JSON'];
    if (declared.content?.['application/json'] === undefined) return [];
    const wrong = this.#test(
      ['paths', found.path, found.method, 'responses', status, 'content', 'application/json', 'schema'],
      body.value,
    );
    return wrong === null ? [] : [`answer: ${wrong}: ${exchange.responseBody.slice(0, 300)}`];
  }

  unused(): string[] {
    return Object.entries(this.#spec.paths)
      .flatMap(([path, operations]) =>
        Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
      )
      .filter((name) => !this.#used.has(name));
  }
}

/** Null where the vendor's document is not at hand: it is not part of this project. */
export function loadAttioOpenApi(): Validator | null {
  if (!existsSync(DOCUMENT)) return null;
  return new SpecValidator(withDeviations(JSON.parse(readFileSync(DOCUMENT, 'utf8'))));
}
