/** Members that bodies of entries, notes, tasks and comments share. */
import { z } from 'zod';
import { amountCheck, amountError, emailField } from './fields.ts';
import { objectSlug, recordId } from './schemas.ts';

export const parentMembers = {
  object: objectSlug
    .exactOptional()
    .meta({ description: 'Slug of the object of the record; found out when left out' }),
  recordId: recordId
    .exactOptional()
    .meta({ description: "Attio's id of the record, or this service's id of a contact, company or deal" }),
  email: emailField.exactOptional().meta({ description: 'Of a person, instead of recordId' }),
};

interface GivenParent {
  readonly object?: string;
  readonly recordId?: string;
  readonly email?: string;
}

type Context = z.core.ParsePayload<GivenParent>;

/** Exactly one of the two. */
export function oneParent({ value, issues }: Context): void {
  const { object, recordId: id, email } = value;
  if ((id === undefined) === (email === undefined)) {
    const message =
      id === undefined ? 'is missing: send it, or email' : 'is given beside email: send one of the two';
    issues.push({ code: 'custom', input: value, path: ['recordId'], message });
  } else if (email !== undefined && object !== undefined && object !== 'people') {
    const message = 'goes with recordId: an e-mail address names a person';
    issues.push({ code: 'custom', input: value, path: ['object'], message });
  }
}

export function toParent({ object, recordId: id, email }: GivenParent) {
  if (email !== undefined) return { email };
  return { recordId: id ?? '', ...(object === undefined ? {} : { object }) };
}

/** Up to the limit that holds for every `content`. */
export const contentField = z
  .string({ error: ({ input }) => (input === undefined ? 'is missing' : 'must be text') })
  .refine((text) => text.trim() !== '', 'is blank');

export const amountField = z
  .strictObject(
    { amount: z.number({ error: amountError }).check(amountCheck) },
    'must be {"amount":…} or null',
  )
  .nullable()
  .exactOptional()
  .meta({ description: 'In the currency of the list; at most four decimal places. null clears' });

const INSTANT = 'is not a date and time such as 2026-01-31T09:30:00Z';

/** An instant, or a day, which begins at midnight UTC; as ISO 8601 UTC. */
export const deadlineField = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], INSTANT)
  .transform((text) => new Date(text).toISOString())
  .nullable()
  .exactOptional();

/** null: none. */
export const emailsField = z
  .array(emailField, 'must be a list of e-mail addresses, or null')
  .max(50, 'has more than 50 addresses')
  .nullable()
  .transform((emails) => emails ?? [])
  .exactOptional();
