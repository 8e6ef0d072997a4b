import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Contact } from '../../domain/entities.ts';
import type { ContactsService } from '../../services/contacts.ts';
import { cursorOf, encodeCursor } from '../cursor.ts';
import { instant, limit, listOf, noQuery, oneOf, ownId, problems, shownObject } from '../schemas.ts';

const LIST = 'contacts';

const contactSchema = z
  .object({
    id: z.string(),
    email: z.string().nullable().meta({ description: 'The first of `emails`; null when Attio has none' }),
    emails: z.array(z.string()),
    firstName: z.string().nullable(),
    lastName: z.string().nullable(),
    phone: z.string().nullable(),
    jobTitle: z.string().nullable(),
    companyRecordId: z.string().nullable(),
    externalId: z.string().nullable(),
    attributes: shownObject.meta({ description: 'Other attributes by slug, in plain form' }),
    recordId: z.string().nullable(),
    webUrl: z.string().nullable(),
    version: z.int(),
    createdAt: instant,
    updatedAt: instant,
    deletedAt: instant.nullable(),
    mergedFrom: z.array(z.string()).optional().meta({ description: 'Ids that were merged into this one' }),
  })
  .meta({
    id: 'Contact',
    examples: [
      {
        id: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
        email: 'ada@example.com',
        emails: ['ada@example.com'],
        firstName: 'Ada',
        lastName: 'Lovelace',
        phone: '+442071234567',
        jobTitle: 'Analyst',
        companyRecordId: null,
        externalId: null,
        attributes: { description: 'Wrote the first program' },
        recordId: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
        webUrl: 'https://app.attio.com/example/person/bf071e1f-6035-429d-b874-d83ea64ea13b',
        version: 3,
        createdAt: '2026-01-01T09:30:00.000Z',
        updatedAt: '2026-01-02T10:00:00.000Z',
        deletedAt: null,
      },
    ],
  });

const query = z.strictObject({
  email: z
    .string()
    .toLowerCase()
    .max(320, 'is too long for an e-mail address')
    .regex(/^[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+$/, 'is not an e-mail address')
    .optional()
    .meta({ description: "Any of the person's addresses, in any case" }),
  externalId: z.string().min(1, 'is empty').optional(),
  limit,
  cursor: cursorOf(LIST, 'string').optional(),
});

/** People as internal systems know them, from the local database. */
export function contactsRoutes(contacts: Pick<ContactsService, 'get' | 'list'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/contacts',
      {
        schema: {
          summary: 'Contacts, all or those with an e-mail address or external id',
          tags: ['contacts'],
          querystring: query,
          response: { 200: listOf(contactSchema), ...problems },
        },
      },
      async (request) => {
        const { email, externalId, cursor, limit } = request.query;
        const page = await contacts.list({
          limit,
          ...(email === undefined ? {} : { email }),
          ...(externalId === undefined ? {} : { externalId }),
          ...(cursor === undefined ? {} : { after: cursor }),
        });
        return {
          data: page.rows.map((contact) => toJson(contact, [])),
          nextCursor: page.next === null ? null : encodeCursor(LIST, page.next),
        };
      },
    );

    app.get(
      '/contacts/:id',
      {
        schema: {
          summary: 'One contact; a merged id finds the survivor',
          tags: ['contacts'],
          params: z.strictObject({
            id: ownId.meta({ description: "This service's id or the Attio record id" }),
          }),
          querystring: noQuery,
          response: { 200: oneOf(contactSchema), ...problems },
        },
      },
      async (request) => {
        const { thing, mergedFrom } = await contacts.get(request.params.id);
        return { data: toJson(thing, mergedFrom) };
      },
    );
  };
}

function toJson(contact: Contact, mergedFrom: readonly string[]): z.input<typeof contactSchema> {
  return {
    ...contact,
    emails: [...contact.emails],
    ...(mergedFrom.length === 0 ? {} : { mergedFrom: [...mergedFrom] }),
  };
}
