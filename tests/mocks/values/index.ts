import type { Attribute, AttributeType, StoredValue } from '../core/types.ts';
import { select, status } from './choices.ts';
import type { Codec, ReadScope } from './codec.ts';
import { domain, emailAddress, phoneNumber } from './contact.ts';
import { actorReference, recordReference } from './references.ts';
import { checkbox, currency, number, rating, text } from './scalars.ts';
import { interaction, location, personalName } from './structures.ts';
import { date, timestamp } from './times.ts';

const CODECS: Readonly<Record<AttributeType, Codec>> = {
  text,
  number,
  checkbox,
  currency,
  date,
  timestamp,
  rating,
  status,
  select,
  'record-reference': recordReference,
  'actor-reference': actorReference,
  location,
  domain,
  'email-address': emailAddress,
  'phone-number': phoneNumber,
  interaction,
  'personal-name': personalName,
};

export const codecOf = (type: AttributeType): Codec => CODECS[type];

/** One value as Attio's readers see it. */
export function readValue(
  value: StoredValue,
  attribute: Attribute,
  scope: ReadScope,
): Record<string, unknown> {
  return {
    active_from: value.from,
    active_until: value.until,
    created_by_actor: value.actor,
    ...CODECS[attribute.type].read(value.data, attribute, scope),
    attribute_type: attribute.type,
  };
}
