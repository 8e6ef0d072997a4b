import { badValue, type Codec, isObject, member, type Operator, type Property, TEXTUAL } from './codec.ts';

function namePart(input: Record<string, unknown>, key: string): string | null {
  const part = input[key];
  return typeof part === 'string' ? part : null;
}

function namesOfText(input: string): { first: string; last: string } {
  const comma = input.indexOf(',');
  if (comma < 0) return { first: input.trim(), last: '' };
  return { first: input.slice(comma + 1).trim(), last: input.slice(0, comma).trim() };
}

/** Written as "Last, First" (no comma: all of it is the first name) or as an object. */
export const personalName: Codec = {
  main: 'full_name',
  sortBy: 'full_name',
  properties: {
    first_name: member('first_name', 'string', TEXTUAL),
    last_name: member('last_name', 'string', TEXTUAL),
    full_name: member('full_name', 'string', TEXTUAL),
  },
  parse(input, attribute) {
    if (typeof input === 'string') {
      const { first, last } = namesOfText(input);
      return { first_name: first, last_name: last, full_name: `${first} ${last}`.trim() };
    }
    if (!isObject(input)) throw badValue(attribute, 'Expected a name.');
    const [first, last, full] = ['first_name', 'last_name', 'full_name'].map((key) => namePart(input, key));
    if (first === null && last === null && full === null) {
      throw badValue(attribute, 'Expected first_name, last_name and full_name.');
    }
    const joined = `${first ?? ''} ${last ?? ''}`.trim();
    return { first_name: first ?? '', last_name: last ?? '', full_name: full ?? joined };
  },
  key: (data) => JSON.stringify([data['first_name'], data['last_name'], data['full_name']]),
  read: (data) => ({ ...data }),
};

const LINES = ['line_1', 'line_2', 'line_3', 'line_4', 'locality', 'region', 'postcode'] as const;
const LOCATION_KEYS = [...LINES, 'country_code', 'latitude', 'longitude'] as const;
const LATITUDE = /^[-+]?([1-8]?\d(\.\d+)?|90(\.0+)?)$/;
const LONGITUDE = /^[-+]?(180(\.0+)?|((1[0-7]\d)|([1-9]?\d))(\.\d+)?)$/;
const SUBSTRING: readonly Operator[] = ['$eq', '$contains', '$starts_with', '$ends_with'];

const SHAPES: Partial<Record<(typeof LOCATION_KEYS)[number], RegExp>> = {
  country_code: /^[A-Z]{2}$/,
  latitude: LATITUDE,
  longitude: LONGITUDE,
};

type Location = Record<(typeof LOCATION_KEYS)[number], string | null>;

/** A plain reading of "1 Road, Town, REGION, 12345, GB"; Attio's own is cleverer. */
function locationOfText(input: string): Location {
  const parts = input.split(',').map((part) => part.trim());
  const take = (shape: RegExp) => {
    const last = parts.at(-1) ?? '';
    return shape.test(last) ? (parts.pop() ?? null) : null;
  };
  const country = take(/^[A-Z]{2}$/);
  const postcode = take(/\d/);
  const region = parts.length > 1 ? (parts.pop() ?? null) : null;
  const locality = parts.pop() ?? null;
  const [one = null, two = null, three = null, four = null] = parts;
  return {
    line_1: one,
    line_2: two,
    line_3: three,
    line_4: four,
    locality: locality ?? region,
    region: locality === null ? null : region,
    postcode,
    country_code: country,
    latitude: null,
    longitude: null,
  };
}

function checkLocation(input: Record<string, unknown>): string | null {
  const missing = LOCATION_KEYS.filter((key) => input[key] === undefined);
  if (missing.length > 0)
    return `Every location property must be given, even if null: ${missing.join(', ')}.`;
  const extra = Object.keys(input).filter((key) => !LOCATION_KEYS.some((known) => known === key));
  if (extra.length > 0) return `Unknown location property: ${extra.join(', ')}.`;
  for (const key of LOCATION_KEYS) {
    const part = input[key];
    if (part === null) continue;
    if (typeof part !== 'string' || SHAPES[key]?.test(part) === false) return `${key} is not valid.`;
  }
  return null;
}

const linesAsProperties = Object.fromEntries(
  LINES.map((key): [string, Property] => [key, member(key, 'string', SUBSTRING)]),
);

export const location: Codec = {
  main: null,
  sortBy: 'locality',
  properties: {
    ...linesAsProperties,
    country_code: member('country_code', 'string', ['$eq', '$starts_with']),
  },
  parse(input, attribute) {
    if (typeof input === 'string') return locationOfText(input);
    if (!isObject(input)) throw badValue(attribute, 'Expected a location.');
    const problem = checkLocation(input);
    if (problem !== null) throw badValue(attribute, problem);
    return Object.fromEntries(LOCATION_KEYS.map((key) => [key, input[key]]));
  },
  key: (data) => JSON.stringify(LOCATION_KEYS.map((key) => data[key])),
  read: (data) => ({ ...data }),
};

function ownerId(data: unknown): string | null {
  return isObject(data) && typeof data['id'] === 'string' ? data['id'] : null;
}

/** Only Attio itself makes these; the sandbox seeds some. */
export const interaction: Codec = {
  main: null,
  sortBy: 'interacted_at',
  properties: {
    interaction_type: member('interaction_type', 'string', ['$eq', '$not_empty']),
    interacted_at: member('interacted_at', 'instant', ['$eq', '$gte', '$gt', '$lte', '$lt']),
    owner_member_id: {
      kind: 'string',
      operators: ['$eq', '$not_empty'],
      get: (value) => ownerId(value.data['owner_actor']),
    },
  },
  parse(_input, attribute) {
    throw badValue(attribute, 'Interactions cannot be written.');
  },
  key: (data) => JSON.stringify([data['interaction_type'], data['interacted_at'], data['owner_actor']]),
  read: (data) => ({ ...data }),
};
