/**
 * What is refused in every request before any schema looks at it: text that no database or log takes well, members
 * that would change a prototype, depth that would exhaust a stack.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { badInput, type InputError, MAX_ERRORS, ProblemError, UNSUPPORTED_MEDIA_TYPE } from './problem.ts';

const MAX_TEXT = 1000;
/** Of the one member that holds whole texts: of notes, tasks and comments. */
const MAX_CONTENT = 100_000;
const CONTENT = '/content';
const MAX_DEPTH = 20;

/** JSON for `/v1`: an empty body is no body, whatever its content-type; other media types are refused. */
export function addJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_request: FastifyRequest, body: Buffer) => (body.length === 0 ? undefined : parseJson(body)),
  );
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: FastifyRequest, body: Buffer) => {
    if (body.length === 0) return undefined;
    throw new ProblemError(UNSUPPORTED_MEDIA_TYPE);
  });
}

/** @throws ProblemError for bytes that are not UTF-8 JSON, or hold what is refused */
function parseJson(body: Buffer): unknown {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new ProblemError(badInput([{ path: '', message: 'the body is not JSON in UTF-8' }]));
  }
  const errors = faultsOf(value);
  if (errors.length > 0) throw new ProblemError(badInput(errors));
  return value;
}

/** A hook. Each parameter once, in text that can be stored. @throws ProblemError */
export function checkQuery(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  const start = request.url.indexOf('?');
  if (start !== -1 && !isPercentEncoded(request.url.slice(start + 1))) {
    throw new ProblemError(
      badInput([{ path: '', message: 'the query string is not percent-encoded UTF-8' }]),
    );
  }
  const errors = Object.entries(request.query ?? {}).flatMap(([name, value]): InputError[] => {
    if (typeof value !== 'string') return [{ path: name, message: 'is given more than once' }];
    const fault = faultOfText(name) ?? faultOfText(value);
    return fault === null ? [] : [{ path: name, message: fault }];
  });
  if (errors.length > 0) throw new ProblemError(badInput(errors));
  done();
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

interface Place {
  readonly value: unknown;
  readonly pointer: string;
  readonly depth: number;
}

/** Walks with a list of its own, not the stack: the depth of a body is up to its sender. */
function faultsOf(body: unknown): InputError[] {
  const errors: InputError[] = [];
  const places: Place[] = [{ value: body, pointer: '', depth: 0 }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const { value, pointer, depth } = place;
    const fault =
      typeof value === 'object' && value !== null ? faultOfShape(value, depth) : faultOfLeaf(value, pointer);
    if (fault !== null) errors.push({ path: pointer, message: fault });
    else places.push(...membersOf(value, pointer, depth));
    if (errors.length === MAX_ERRORS) break;
  }
  return errors;
}

function membersOf(value: unknown, pointer: string, depth: number): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).map(([name, member]) => ({
    value: member,
    pointer: `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
    depth: depth + 1,
  }));
}

function faultOfShape(value: object, depth: number): string | null {
  if (depth >= MAX_DEPTH) return `is nested deeper than ${MAX_DEPTH} levels`;
  if (Array.isArray(value)) return null;
  const names = Object.keys(value);
  if (names.includes('__proto__')) return 'has a member __proto__: leave it out';
  if (names.includes('constructor') && hasOwnPrototype(value))
    return 'has a member constructor.prototype: leave it out';
  const fault = names.map((name) => faultOfText(name)).find((found) => found !== null);
  return fault === undefined ? null : `has a member whose name ${fault}`;
}

function hasOwnPrototype(value: object): boolean {
  const { constructor: member }: { constructor?: unknown } = value;
  return typeof member === 'object' && member !== null && Object.hasOwn(member, 'prototype');
}

function faultOfLeaf(value: unknown, pointer: string): string | null {
  if (typeof value === 'string') return faultOfText(value, pointer === CONTENT ? MAX_CONTENT : MAX_TEXT);
  // JSON has no such numbers, but `1e999` reads as one.
  if (typeof value === 'number' && !Number.isFinite(value)) return 'is a number too large';
  return null;
}

function faultOfText(text: string, maxLength = MAX_TEXT): string | null {
  if (text.includes('\0')) return 'has a NUL character: take it out';
  if (!text.isWellFormed()) return 'has half a character (a lone surrogate): send whole characters';
  if (text.length > maxLength && [...text].length > maxLength)
    return `is longer than ${maxLength} characters`;
  return null;
}
