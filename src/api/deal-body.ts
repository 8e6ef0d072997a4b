import { z } from 'zod';
import { attributeFault, type FieldRule } from '../domain/mapping.ts';
import type { DealChange, DealInput } from '../services/inputs.ts';
import { attributesBody, fieldsBody } from './attributes.ts';
import { dealKeyField, domainField, emailField, moneyField, nameField, stageField } from './fields.ts';

const MAX_CONTACTS = 100;

const emails = z.array(emailField).max(MAX_CONTACTS, `has more than ${MAX_CONTACTS} addresses`);

/** What a deal is written with. @param rules the fields of deals */
export function dealBody(rules: readonly FieldRule[]) {
  return z
    .strictObject(
      {
        externalId: dealKeyField.meta({
          description: "The caller's own id: finds the deal; a new one is made when there is none",
        }),
        name: nameField,
        stage: stageField,
        value: moneyField,
        companyDomain: domainField
          .nullable()
          .exactOptional()
          .meta({ description: 'A company that is not there yet is made from its domain' }),
        contactEmails: z
          .union(
            [z.null(), emails, z.strictObject({ replace: emails })],
            `must be a list of e-mail addresses, {"replace":[…]} with at most ${MAX_CONTACTS} of them, or null`,
          )
          .exactOptional()
          .meta({
            description:
              'Added to the people there are; {"replace":[…]} sets exactly these. Who is not there yet is made',
          }),
        ownerEmail: emailField
          .nullable()
          .exactOptional()
          .meta({ description: 'Of a member of the workspace' }),
        attributes: attributesBody((slug) => attributeFault(rules, slug), null),
        fields: fieldsBody(rules),
      },
      'must be an object with at least externalId, name and stage',
    )
    .meta({
      id: 'PutDeal',
      description: 'A member left out is untouched; null clears it',
      examples: [
        {
          externalId: 'order:4711',
          name: 'Analytical engine',
          stage: 'In Progress',
          value: { amount: 1250.5 },
          companyDomain: 'example.com',
          contactEmails: ['ada@example.com'],
          ownerEmail: 'robin@example.com',
        },
      ],
    }) satisfies z.ZodType<DealInput>;
}

/** What a deal that is known is changed by. */
export function dealChangeBody(rules: readonly FieldRule[]) {
  return z
    .strictObject(
      {
        name: nameField.exactOptional(),
        stage: stageField.exactOptional(),
        value: moneyField,
        fields: fieldsBody(rules),
      },
      'must be an object with stage, value, name or fields',
    )
    .refine((change) => Object.keys(change).length > 0, 'is empty: send stage, value, name or fields')
    .meta({
      id: 'PatchDeal',
      description: 'A member left out is untouched; null clears the value',
      examples: [{ stage: 'Lost', value: { amount: 1400 } }],
    }) satisfies z.ZodType<DealChange>;
}
