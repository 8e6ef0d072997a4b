/** Pieces that several routes share: parameters, the shapes of answers, and the problem. */
import { z } from 'zod';

/** Of objects and attributes. */
export const SLUG = /^[a-z0-9_-]{1,100}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const objectSlug = z
  .string()
  .regex(SLUG, 'is not the slug of an object')
  .meta({ description: 'Slug of an Attio object', examples: ['people'] });

export const listSlug = z
  .string()
  .regex(SLUG, 'is not the slug of a list')
  .meta({ description: 'Slug of an Attio list', examples: ['recruiting'] });

export const recordId = z
  .string()
  .toLowerCase()
  .regex(UUID, 'is not an Attio record id (a UUID)')
  .meta({ description: 'Attio record id', examples: ['bf071e1f-6035-429d-b874-d83ea64ea13b'] });

/** Ours of one that was made here is a UUID as well. */
export const entryId = z
  .string()
  .toLowerCase()
  .regex(UUID, 'is not the id of an entry (a UUID)')
  .meta({ description: "This service's id of an entry, or Attio's" });

/** Of ours: opaque, and nothing that could be taken for a path. */
export const ownId = z
  .string()
  .regex(/^[\w-]{1,64}$/, 'is not an id of this service')
  .overwrite((id) => (UUID.test(id.toLowerCase()) ? id.toLowerCase() : id));

/** A whole number in a query string. */
export function wholeNumber(min: number, max: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  const digits = (value: unknown) =>
    typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value;
  return { digits, schema: z.int(message).min(min, message).max(max, message) };
}

const limitNumber = wholeNumber(1, 1000);
export const limit = z.preprocess(limitNumber.digits, limitNumber.schema.default(100));

function readFlag(value: unknown): unknown {
  return value === 'true' ? true : value === 'false' ? false : value;
}

/** `true` or `false` in a query string. */
function flagOr(otherwise: boolean) {
  return z.preprocess(readFlag, z.boolean('must be true or false').default(otherwise));
}

/** The same, where leaving it out is a third answer. */
export const givenFlag = z.preprocess(readFlag, z.boolean('must be true or false'));

/** False when left out. */
export const flag = flagOr(false);

/** Whether a write waits for Attio. */
export const waitFlag = flagOr(true).meta({
  description: 'false: answer 202 at once, without waiting for Attio',
});

/** For routes that take no parameters. */
export const noQuery = z.strictObject({});

/** For routes that need no body: none, or an empty object. */
export const noBody = z.union([z.null(), z.strictObject({})], 'must be left out: this route takes no body');

/** An object of a request's body. */
export const jsonObject = z.record(z.string(), z.unknown());

/** An object in an answer: not looked into again, since a page of them has tens of thousands of members. */
export const shownObject = z.unknown().meta({ type: 'object' });

export function oneOf<T extends z.ZodType>(thing: T) {
  return z.object({ data: thing });
}

export function listOf<T extends z.ZodType>(thing: T) {
  return z.object({
    data: z.array(thing),
    nextCursor: z.string().nullable().meta({ description: 'For the next page; null: this is the last' }),
  });
}

/** ISO 8601 UTC. */
export const instant = z.string().meta({ format: 'date-time', examples: ['2026-01-01T09:30:00.000Z'] });

/** A part of a request that is wrong: a JSON pointer or a parameter's name, and what to mend. */
export const inputError = z.object({ path: z.string(), message: z.string() });

const problem = z
  .object({
    type: z.string().meta({ description: 'Stable: branch on this' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: 'In words, with how to mend it' }),
    instance: z.string(),
    errors: z.array(inputError).optional(),
    attio: z
      .object({ code: z.string(), message: z.string() })
      .optional()
      .meta({ description: 'What Attio said, when it was Attio that refused' }),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457',
    examples: [
      {
        type: 'urn:attio-bridge:problem:bad-request',
        title: 'Bad Request',
        status: 400,
        detail: 'Mend the request: limit must be a whole number from 1 to 1000.',
        instance: '/v1/contacts',
        errors: [{ path: 'limit', message: 'must be a whole number from 1 to 1000' }],
      },
    ],
  });

/** Every route may answer with one. */
export const problems = {
  default: {
    description: 'A problem',
    content: { 'application/problem+json': { schema: problem } },
  },
};

/** A list that is small enough to be held whole, cut into pages. */
export function pageOf<T>(
  all: readonly T[],
  after: number,
  size: number,
): { rows: T[]; next: number | null } {
  const end = after + size;
  return { rows: all.slice(after, end), next: end < all.length ? end : null };
}
