import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Contact } from '../../domain/entities.ts';
import type { FieldRule } from '../../domain/mapping.ts';
import type { Synced } from '../../services/inputs.ts';
import { contactBody } from '../contact-body.ts';
import type { ContactsApi } from '../deps.ts';
import { flag, listOf, noBody, noQuery, problems, waitFlag } from '../schemas.ts';
import {
  commonMembers,
  listParams,
  nextCursor,
  statusOf,
  thingParams,
  toListQuery,
  withState,
  withSync,
} from '../things.ts';
import { waitSignal } from '../wait.ts';

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
    ...commonMembers,
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
        sync: { status: 'synced', recordId: 'bf071e1f-6035-429d-b874-d83ea64ea13b' },
      },
    ],
  });

const listQuery = z.strictObject({
  email: z
    .string()
    .toLowerCase()
    .max(320, 'is too long for an e-mail address')
    .regex(/^[^\s@,;<>]+@[^\s@,;<>]+\.[^\s@,;<>]+$/, 'is not an e-mail address')
    .exactOptional()
    .meta({ description: "Any of the person's addresses, in any case" }),
  ...listParams(LIST),
});

const removeQuery = z.strictObject({
  attio: z
    .enum(['keep', 'delete'], 'must be keep or delete')
    .default('keep')
    .meta({ description: 'What becomes of the record in Attio' }),
  erase: flag.meta({ description: "Removes the person's values from all that is kept here, too" }),
  wait: waitFlag,
});

/** People as internal systems know them: read from the local database, written there first and then to Attio. */
export function contactsRoutes(
  contacts: Omit<ContactsApi, 'batch'>,
  rules: readonly FieldRule[],
  ending: AbortSignal,
): FastifyPluginAsyncZod {
  const written = { 200: withSync(contactSchema), 202: withSync(contactSchema), ...problems };
  return async (app) => {
    app.put(
      '/contacts',
      {
        schema: {
          summary: 'Writes a contact, found by e-mail, or makes one; 202 when Attio is yet to have it',
          tags: ['contacts'],
          querystring: z.strictObject({ wait: waitFlag }),
          body: contactBody(rules),
          response: written,
        },
      },
      async (request, reply) => {
        const { wait } = request.query;
        const result = await contacts.upsert(request.body, { wait, signal: waitSignal(reply, ending) });
        return reply.code(statusOf(result, wait)).send({ data: toJson(result), sync: result.sync });
      },
    );

    app.get(
      '/contacts',
      {
        schema: {
          summary: 'Contacts, all or those with an e-mail address or external id',
          tags: ['contacts'],
          querystring: listQuery,
          response: { 200: listOf(contactSchema), ...problems },
        },
      },
      async (request) => {
        const page = await contacts.list(toListQuery(request.query));
        return { data: page.rows.map((row) => toJson(row)), nextCursor: nextCursor(LIST, page.next) };
      },
    );

    app.get(
      '/contacts/:id',
      {
        schema: {
          summary: 'One contact; a merged id finds the survivor',
          tags: ['contacts'],
          params: thingParams,
          querystring: noQuery,
          response: { 200: withSync(contactSchema), ...problems },
        },
      },
      async (request) => {
        const found = await contacts.get(request.params.id);
        return { data: toJson(found, found.mergedFrom), sync: found.sync };
      },
    );

    app.delete(
      '/contacts/:id',
      {
        schema: {
          summary: 'Deletes a contact here, and in Attio when asked; 202 when Attio is yet to do so',
          tags: ['contacts'],
          params: thingParams,
          querystring: removeQuery,
          body: noBody,
          response: written,
        },
      },
      async (request, reply) => {
        const options = { ...request.query, signal: waitSignal(reply, ending) };
        const result = await contacts.remove(request.params.id, options);
        return reply
          .code(statusOf(result, request.query.wait))
          .send({ data: toJson(result), sync: result.sync });
      },
    );

    app.post(
      '/contacts/:id/restore',
      {
        schema: {
          summary: 'Brings back a deleted contact, here and in Attio; 202 when Attio is yet to have it',
          tags: ['contacts'],
          params: thingParams,
          querystring: z.strictObject({ wait: waitFlag }),
          body: noBody,
          response: written,
        },
      },
      async (request, reply) => {
        const options = { ...request.query, signal: waitSignal(reply, ending) };
        const result = await contacts.restore(request.params.id, options);
        return reply
          .code(statusOf(result, request.query.wait))
          .send({ data: toJson(result), sync: result.sync });
      },
    );
  };
}

function toJson(contact: Synced<Contact>, mergedFrom?: readonly string[]): z.input<typeof contactSchema> {
  return { ...withState(contact, mergedFrom), emails: [...contact.thing.emails] };
}
