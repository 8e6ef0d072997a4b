import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Company } from '../../domain/entities.ts';
import type { CompaniesService } from '../../services/contacts.ts';
import { cursorOf, encodeCursor } from '../cursor.ts';
import { instant, limit, listOf, noQuery, oneOf, ownId, problems, shownObject } from '../schemas.ts';

const LIST = 'companies';

const companySchema = z
  .object({
    id: z.string(),
    domain: z.string().nullable().meta({ description: 'The first of `domains`; null when Attio has none' }),
    domains: z.array(z.string()),
    name: z.string().nullable(),
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
    id: 'Company',
    examples: [
      {
        id: '9ce5e7a0-1c2d-4f3e-8a9b-0c1d2e3f4a5b',
        domain: 'example.com',
        domains: ['example.com'],
        name: 'Example',
        externalId: null,
        attributes: {},
        recordId: '9ce5e7a0-1c2d-4f3e-8a9b-0c1d2e3f4a5b',
        webUrl: null,
        version: 1,
        createdAt: '2026-01-01T09:30:00.000Z',
        updatedAt: '2026-01-01T09:30:00.000Z',
        deletedAt: null,
      },
    ],
  });

const query = z.strictObject({
  domain: z
    .string()
    .toLowerCase()
    .max(253, 'is too long for a domain')
    .regex(/^[^\s/@:.]+(\.[^\s/@:.]+)+$/, 'is not a domain')
    .optional()
    .meta({ description: "Any of the company's domains, in any case" }),
  externalId: z.string().min(1, 'is empty').optional(),
  limit,
  cursor: cursorOf(LIST, 'string').optional(),
});

/** Companies as internal systems know them, from the local database. */
export function companiesRoutes(companies: Pick<CompaniesService, 'get' | 'list'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/companies',
      {
        schema: {
          summary: 'Companies, all or those with a domain or external id',
          tags: ['companies'],
          querystring: query,
          response: { 200: listOf(companySchema), ...problems },
        },
      },
      async (request) => {
        const { domain, externalId, cursor, limit } = request.query;
        const page = await companies.list({
          limit,
          ...(domain === undefined ? {} : { domain }),
          ...(externalId === undefined ? {} : { externalId }),
          ...(cursor === undefined ? {} : { after: cursor }),
        });
        return {
          data: page.rows.map((company) => toJson(company, [])),
          nextCursor: page.next === null ? null : encodeCursor(LIST, page.next),
        };
      },
    );

    app.get(
      '/companies/:id',
      {
        schema: {
          summary: 'One company; a merged id finds the survivor',
          tags: ['companies'],
          params: z.strictObject({
            id: ownId.meta({ description: "This service's id or the Attio record id" }),
          }),
          querystring: noQuery,
          response: { 200: oneOf(companySchema), ...problems },
        },
      },
      async (request) => {
        const { thing, mergedFrom } = await companies.get(request.params.id);
        return { data: toJson(thing, mergedFrom) };
      },
    );
  };
}

function toJson(company: Company, mergedFrom: readonly string[]): z.input<typeof companySchema> {
  return {
    ...company,
    domains: [...company.domains],
    ...(mergedFrom.length === 0 ? {} : { mergedFrom: [...mergedFrom] }),
  };
}
