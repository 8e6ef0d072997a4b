import { select, status } from './choices.ts';
import type { ValueCodec } from './codec.ts';
import { domain, emailAddress, personalName, phoneNumber } from './people.ts';
import { actorReference, interaction, location, recordReference } from './references.ts';
import { checkbox, currency, date, number, rating, text, timestamp } from './scalars.ts';

/** Every attribute type that Attio documents. Attio may add others, so look up with `codecFor`. */
const CODECS = {
  text,
  number,
  rating,
  checkbox,
  currency,
  date,
  timestamp,
  'personal-name': personalName,
  'email-address': emailAddress,
  domain,
  'phone-number': phoneNumber,
  status,
  select,
  'record-reference': recordReference,
  'actor-reference': actorReference,
  location,
  interaction,
} as const satisfies Record<string, ValueCodec>;

export type KnownAttributeType = keyof typeof CODECS;

const byType: ReadonlyMap<string, ValueCodec> = new Map(Object.entries(CODECS));

/** undefined for a type that is not known here. */
export function codecFor(type: string): ValueCodec | undefined {
  return byType.get(type);
}
