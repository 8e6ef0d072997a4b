import { z } from 'zod';
import { DIRECTIONS, OWNERS } from '../domain/mapping.ts';
import type { FieldSetting, MappingSettings } from '../domain/mapping-rules.ts';
import { SCALES, type Transform } from '../domain/transforms.ts';

const MAX_FIELDS = 100;
const MAX_TABLE = 500;
const TRANSFORMS = `must be "trim", "lowercase", "uppercase", {"map":{…}} with a text, a number, true or false for each word of ours (at most ${MAX_TABLE}), or {"scale":…} with ${SCALES.join(', ')}`;

const word = z.string().trim().min(1).max(1_000);
const tableValue = z.union([word, z.number(), z.boolean()]);

const transform = z.union(
  [
    z.enum(['trim', 'lowercase', 'uppercase']).transform((kind): Transform => ({ kind })),
    z
      .strictObject({
        /** Our words, and Attio's values: titles of options as a rule. */
        map: z.record(word, tableValue).refine((table) => Object.keys(table).length <= MAX_TABLE),
      })
      .transform(({ map }): Transform => ({ kind: 'map', table: map })),
    z
      .strictObject({ scale: z.literal(SCALES) })
      .transform(({ scale }): Transform => ({ kind: 'scale', by: scale })),
  ],
  TRANSFORMS,
);

const field = z.strictObject(
  {
    /** Slug of the attribute. */
    attribute: z
      .string('must be the slug of an attribute')
      .regex(/^[a-z0-9_-]{1,100}$/, 'is no attribute slug')
      .optional(),
    direction: z.enum(DIRECTIONS, `must be one of ${DIRECTIONS.join(', ')}`).optional(),
    owner: z.enum(OWNERS, `must be one of ${OWNERS.join(', ')}`).optional(),
    transform: transform.optional(),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `has ${issue.keys.join(', ')}, which is not known: there are attribute, direction, owner, transform`
        : 'must be an object with attribute, direction, owner, transform, or some of them; {"direction":"none"} leaves the field out',
  },
);

const fields = z
  .record(z.string(), field, 'must be an object: settings by field')
  .refine((all) => Object.keys(all).length <= MAX_FIELDS, `has more than ${MAX_FIELDS} fields`);

/** Which field of ours is which attribute of Attio's. Our names are those of the bodies; others add fields. */
export const mappingSettings = z.strictObject(
  { people: fields.optional(), companies: fields.optional(), deals: fields.optional() },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `has ${issue.keys.join(', ')}, which is not known: there are people, companies, deals`
        : 'must be an object with people, companies, deals, or some of them',
  },
) satisfies z.ZodType<MappingSettings>;

/** As much of it as can be read, field by field: of the rest the schema says what is wrong. */
export function readableMapping(content: unknown): MappingSettings {
  return {
    people: readableFields(content, 'people'),
    companies: readableFields(content, 'companies'),
    deals: readableFields(content, 'deals'),
  };
}

function readableFields(content: unknown, kind: string): Record<string, FieldSetting> {
  const all = members(members(content)[kind]);
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, setting]) => {
      const { data } = field.safeParse(setting);
      return data === undefined ? [] : [[name, data] as const];
    }),
  );
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
