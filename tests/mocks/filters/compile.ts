import { filterError } from '../core/errors.ts';
import type { Row } from '../core/types.ts';
import type { Schema } from '../state/schema.ts';
import type { World } from '../state/world.ts';
import { isObject } from '../values/codec.ts';
import { attributeTest } from './conditions.ts';
import { compilePath, fieldValues, findField } from './paths.ts';

export type RowTest = (row: Row) => boolean;

interface Scope {
  readonly world: World;
  readonly schema: Schema;
}

function list(scope: Scope, operator: string, input: unknown): RowTest[] {
  if (!Array.isArray(input)) throw filterError(`${operator} needs an array.`);
  return input.map((one) => compile(scope, one));
}

function compileAttribute({ world, schema }: Scope, ref: string, condition: unknown): RowTest {
  const attribute = findField(schema, ref);
  const { emptyMatches, test } = attributeTest(attribute, condition, world);
  return (row) => {
    const values = fieldValues(row, attribute);
    return values.length === 0 ? emptyMatches : values.some(test);
  };
}

function compilePathFilter({ world, schema }: Scope, filter: Record<string, unknown>): RowTest {
  const path = compilePath(world, schema, filter['path']);
  const { emptyMatches, test } = attributeTest(path.last, filter['constraints'], world);
  return (row) => {
    const values = path.values(row);
    return values.length === 0 ? emptyMatches : values.some(test);
  };
}

function compileKey(scope: Scope, key: string, input: unknown): RowTest {
  if (key === '$and') {
    const tests = list(scope, key, input);
    return (row) => tests.every((test) => test(row));
  }
  if (key === '$or') {
    const tests = list(scope, key, input);
    return (row) => tests.some((test) => test(row));
  }
  if (key === '$not') {
    const test = compile(scope, input);
    return (row) => !test(row);
  }
  if (key.startsWith('$')) throw filterError(`Unknown operator "${key}".`);
  return compileAttribute(scope, key, input);
}

function compile(scope: Scope, filter: unknown): RowTest {
  if (!isObject(filter)) throw filterError('A filter must be an object.');
  if (Array.isArray(filter['path'])) return compilePathFilter(scope, filter);
  const tests = Object.entries(filter).map(([key, input]) => compileKey(scope, key, input));
  return (row) => tests.every((test) => test(row));
}

/** Checks a whole filter before a row is looked at: a bad one is an error even on an empty object. */
export function compileFilter(world: World, schema: Schema, filter: unknown): RowTest {
  return compile({ world, schema }, filter);
}
