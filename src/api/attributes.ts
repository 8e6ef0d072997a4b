/** Values by slug in a body. Whether a workspace has the slug, and takes the value, only the service can say. */
import { z } from 'zod';
import { isJsonObject, type Json, type JsonObject } from '../domain/json.ts';
import { customRules, type FieldRule, isWritten } from '../domain/mapping.ts';
import { MAX_ERRORS } from './problem.ts';
import { SLUG } from './schemas.ts';

const MAX_ATTRIBUTES = 100;
const MAX_LIST = 100;
/** Lists and objects inside each other, per value. */
const MAX_DEPTH = 4;
/** Beyond this, numbers stop being what their sender wrote. */
const MAX_NUMBER = 1e15;

const SET_BY_ATTIO = ['record_id', 'created_at', 'created_by'];
const SET = 'is set by Attio and cannot be written: leave it out';

interface Fault {
  /** Names and places from the attributes on. */
  readonly path: (string | number)[];
  readonly message: string;
}

// What is checked was read from JSON.
const anyJson = z.unknown() as unknown as z.ZodType<Json>;

/** Null: it may be given. */
type FaultOfSlug = (slug: string) => string | null;

/** What things are found by, as an attribute: it is checked as closely as the member. */
interface KeyAttribute {
  readonly slug: string;
  readonly value: z.ZodType<string>;
}

/**
 * @param faultOfSlug why an attribute is not to be given here: it is a member of the thing itself, for one
 * @param key null: it is not known here
 */
export function attributesBody(faultOfSlug: FaultOfSlug, key: KeyAttribute | null) {
  return z
    .record(z.string(), anyJson, 'must be an object: values by attribute slug')
    .check(({ value, issues }) => {
      const faults = [
        ...faultsOf(value, faultOfSlug),
        ...(key === null ? [] : faultsOfKey(value[key.slug], key)),
      ];
      for (const fault of faults.slice(0, MAX_ERRORS)) {
        issues.push({ code: 'custom', input: value, ...fault });
      }
    })
    .exactOptional()
    .meta({
      description:
        'Other attributes by slug. A list for an attribute of several values adds them; {"replace":[…]} sets exactly these; null clears.',
      maxProperties: MAX_ATTRIBUTES,
      examples: [{ description: 'Met in Turin', tags: { replace: ['customer'] }, lead_source: null }],
    });
}

/** Fields that the configuration adds; what each takes, only the service can say. @param rules the fields of the thing */
export function fieldsBody(rules: readonly FieldRule[]) {
  const names = customRules(rules)
    .filter(isWritten)
    .map(({ name }) => name);
  return z
    .record(z.string(), anyJson, 'must be an object: values by the name of the field')
    .check(({ value, issues }) => {
      for (const fault of faultsOfFields(value).slice(0, MAX_ERRORS)) {
        issues.push({ code: 'custom', input: value, ...fault });
      }
    })
    .exactOptional()
    .meta({
      description: `Fields that the configuration of the service adds, by name: ${names.join(', ') || 'none'}. Values as for attributes.`,
      maxProperties: MAX_ATTRIBUTES,
      examples: [Object.fromEntries(names.slice(0, 1).map((name) => [name, null]))],
    });
}

function faultsOfFields(fields: JsonObject): Fault[] {
  const given = Object.entries(fields);
  if (given.length > MAX_ATTRIBUTES) {
    return [{ path: [], message: `has more than ${MAX_ATTRIBUTES} fields: send fewer at once` }];
  }
  return given.flatMap(([name, value]) => faultsOfValue(value, [name]));
}

function faultsOf(attributes: JsonObject, faultOfSlug: FaultOfSlug): Fault[] {
  const given = Object.entries(attributes);
  if (given.length > MAX_ATTRIBUTES) {
    return [{ path: [], message: `has more than ${MAX_ATTRIBUTES} attributes: send fewer at once` }];
  }
  return given.flatMap(([slug, value]) => {
    if (!SLUG.test(slug)) return [{ path: [], message: `has ${JSON.stringify(slug)}, which is no slug` }];
    const message = SET_BY_ATTIO.includes(slug) ? SET : faultOfSlug(slug);
    return message === null ? faultsOfValue(value, [slug]) : [{ path: [slug], message }];
  });
}

function faultsOfKey(given: Json | undefined, { slug, value }: KeyAttribute): Fault[] {
  if (given === undefined) return [];
  if (given === null) return [{ path: [slug], message: 'cannot be cleared: the record is found by it' }];
  const replaced = isJsonObject(given) ? given['replace'] : undefined;
  const values = Array.isArray(replaced) ? replaced : Array.isArray(given) ? given : [given];
  const within = Array.isArray(replaced) ? [slug, 'replace'] : [slug];
  return values.flatMap((each, index) => {
    const [issue] = value.safeParse(each).error?.issues ?? [];
    const path = values.length > 1 || Array.isArray(given) ? [...within, index] : within;
    return issue === undefined ? [] : [{ path, message: issue.message }];
  });
}

function faultsOfValue(value: Json, path: Fault['path']): Fault[] {
  if (!isJsonObject(value) || !Object.hasOwn(value, 'replace')) return faultsWithin(value, path, 0);
  if (Object.keys(value).length > 1) return [{ path, message: 'has members beside replace: send it alone' }];
  if (!Array.isArray(value['replace'])) {
    return [{ path: [...path, 'replace'], message: 'must be a list: all the values that are to stay' }];
  }
  return faultsWithin(value, path, 0);
}

function faultsWithin(value: Json, path: Fault['path'], depth: number): Fault[] {
  if (typeof value !== 'object' || value === null) return faultsOfScalar(value, path);
  if (depth === MAX_DEPTH) return [{ path, message: `is nested deeper than ${MAX_DEPTH} levels` }];
  if (isJsonObject(value)) {
    return Object.entries(value).flatMap(([name, member]) =>
      faultsWithin(member, [...path, name], depth + 1),
    );
  }
  if (value.length > MAX_LIST) return [{ path, message: `has more than ${MAX_LIST} values` }];
  return value.flatMap((each, index) => faultsWithin(each, [...path, index], depth + 1));
}

function faultsOfScalar(value: Json, path: Fault['path']): Fault[] {
  if (typeof value !== 'number' || Math.abs(value) <= MAX_NUMBER) return [];
  return [{ path, message: `is a number beyond ${MAX_NUMBER}: send it as text, or smaller` }];
}
