import { z } from 'zod';
import type { AttributeType } from '../core/types.ts';

/** Types the API can make; names and interactions are Attio's own. */
const CREATABLE = [
  'text',
  'number',
  'checkbox',
  'currency',
  'date',
  'timestamp',
  'rating',
  'status',
  'select',
  'record-reference',
  'actor-reference',
  'location',
  'domain',
  'email-address',
  'phone-number',
] as const satisfies readonly AttributeType[];

export const MULTI_TYPES: ReadonlySet<AttributeType> = new Set([
  'select',
  'record-reference',
  'actor-reference',
  'domain',
  'email-address',
  'phone-number',
]);

const CURRENCY_CODES = (
  'ARS AUD BRL BGN CAD CLP CNY COP CZK DKK EUR HKD HUF ISK INR ILS JPY KES KRW MYR MXN NTD NZD NGN NOK XPF PEN PHP PLN ' +
  'GBP RWF SAR SGD ZAR SEK CHF THB AED UYU USD'
).split(' ');

const config = z.object({
  currency: z
    .object({
      default_currency_code: z.enum(CURRENCY_CODES),
      display_type: z.enum(['code', 'name', 'narrowSymbol', 'symbol']),
    })
    .optional(),
  record_reference: z.object({ allowed_objects: z.array(z.string()) }).optional(),
});

const defaultValue = z
  .union([
    z.object({ type: z.literal('dynamic'), template: z.string() }),
    z.object({ type: z.literal('static'), template: z.array(z.record(z.string(), z.unknown())) }),
  ])
  .nullable();

const relationship = z.strictObject({
  object: z.string(),
  title: z.string(),
  api_slug: z.string(),
  is_multiselect: z.boolean(),
});

export const newAttributeBody = z.strictObject({
  title: z.string(),
  description: z.string().nullable(),
  api_slug: z.string().min(1),
  type: z.enum(CREATABLE),
  is_required: z.boolean(),
  is_unique: z.boolean(),
  is_multiselect: z.boolean(),
  default_value: defaultValue.optional(),
  relationship: relationship.nullable().optional(),
  config,
});

export const attributePatch = z.strictObject({
  title: z.string().optional(),
  description: z.string().nullable().optional(),
  api_slug: z.string().min(1).optional(),
  is_required: z.boolean().optional(),
  is_unique: z.boolean().optional(),
  default_value: defaultValue.optional(),
  config: config.optional(),
  is_archived: z.boolean().optional(),
});

export type NewAttribute = z.output<typeof newAttributeBody>;
export type AttributePatch = z.output<typeof attributePatch>;
