import { z } from 'zod';
import type { ContactInput } from '../services/inputs.ts';
import { attributesBody } from './attributes.ts';
import { domainField, emailField, externalIdField, lineField, phoneField } from './fields.ts';
import { recordId } from './schemas.ts';

/** What a contact is written with. */
export const contactBody = z
  .strictObject(
    {
      email: emailField.meta({
        description: 'Finds the contact, as any of its addresses; a new one is made when there is none',
      }),
      firstName: lineField,
      lastName: lineField,
      phone: phoneField,
      jobTitle: lineField,
      company: z
        .union(
          [z.null(), z.strictObject({ domain: domainField }), z.strictObject({ recordId })],
          'must be {"domain":…} or {"recordId":…}, or null',
        )
        .exactOptional()
        .meta({ description: 'A company that is not there yet is made from its domain' }),
      externalId: externalIdField,
      attributes: attributesBody(
        { name: 'firstName and lastName', job_title: 'jobTitle', company: 'company' },
        { slug: 'email_addresses', value: emailField },
      ),
    },
    'must be an object with at least email',
  )
  .check(({ value, issues }) => {
    if (value.phone === undefined || !Object.hasOwn(value.attributes ?? {}, 'phone_numbers')) return;
    const message = 'says the same as phone: send one of the two';
    issues.push({ code: 'custom', input: value, path: ['attributes', 'phone_numbers'], message });
  })
  .meta({
    id: 'PutContact',
    description: 'A member left out is untouched; null clears it',
    examples: [
      {
        email: 'ada@example.com',
        firstName: 'Ada',
        lastName: 'Lovelace',
        phone: '+44 20 7123 4567',
        jobTitle: null,
        company: { domain: 'example.com' },
        externalId: 'crm:7',
        attributes: { description: 'Wrote the first program' },
      },
    ],
  }) satisfies z.ZodType<ContactInput>;
