import { z } from 'zod';
import { attributeFault, type FieldRule } from '../domain/mapping.ts';
import type { ContactInput } from '../services/inputs.ts';
import { attributesBody, fieldsBody } from './attributes.ts';
import { domainField, emailField, externalIdField, lineField, phoneField } from './fields.ts';
import { recordId } from './schemas.ts';

/** What a contact is written with. @param rules the fields of people */
export function contactBody(rules: readonly FieldRule[]) {
  const phones = rules.find(({ form }) => form === 'phone')?.attribute ?? '';
  return z
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
        attributes: attributesBody((slug) => attributeFault(rules, slug), {
          slug: 'email_addresses',
          value: emailField,
        }),
        fields: fieldsBody(rules),
      },
      'must be an object with at least email',
    )
    .check(({ value, issues }) => {
      if (value.phone === undefined || !Object.hasOwn(value.attributes ?? {}, phones)) return;
      const message = 'says the same as phone: send one of the two';
      issues.push({ code: 'custom', input: value, path: ['attributes', phones], message });
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
}
