import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Company } from '../../domain/entities.ts';
import { attributeFault, type FieldRule } from '../../domain/mapping.ts';
import type { CompanyInput, Synced } from '../../services/inputs.ts';
import { attributesBody, fieldsBody } from '../attributes.ts';
import type { CompaniesApi } from '../deps.ts';
import { domainField, externalIdField, lineField } from '../fields.ts';
import { listOf, noBody, noQuery, problems, waitFlag } from '../schemas.ts';
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

const LIST = 'companies';

const companySchema = z
  .object({
    id: z.string(),
    domain: z.string().nullable().meta({ description: 'The first of `domains`; null when Attio has none' }),
    domains: z.array(z.string()),
    name: z.string().nullable(),
    ...commonMembers,
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
        sync: { status: 'synced', recordId: '9ce5e7a0-1c2d-4f3e-8a9b-0c1d2e3f4a5b' },
      },
    ],
  });

function companyBody(rules: readonly FieldRule[]) {
  return z
    .strictObject(
      {
        domain: domainField.meta({
          description: 'Finds the company, as any of its domains; a new one is made when there is none',
        }),
        name: lineField,
        externalId: externalIdField,
        attributes: attributesBody((slug) => attributeFault(rules, slug), {
          slug: 'domains',
          value: domainField,
        }),
        fields: fieldsBody(rules),
      },
      'must be an object with at least domain',
    )
    .meta({
      id: 'PutCompany',
      description: 'A member left out is untouched; null clears it',
      examples: [{ domain: 'example.com', name: 'Example', attributes: { description: null } }],
    }) satisfies z.ZodType<CompanyInput>;
}

const listQuery = z.strictObject({
  domain: z
    .string()
    .toLowerCase()
    .max(253, 'is too long for a domain')
    .regex(/^[^\s/@:.]+(\.[^\s/@:.]+)+$/, 'is not a domain')
    .exactOptional()
    .meta({ description: "Any of the company's domains, in any case" }),
  ...listParams(LIST),
});

/** Companies as internal systems know them: read from the local database, written there first and then to Attio. */
export function companiesRoutes(
  companies: CompaniesApi,
  rules: readonly FieldRule[],
  ending: AbortSignal,
): FastifyPluginAsyncZod {
  return async (app) => {
    app.put(
      '/companies',
      {
        schema: {
          summary: 'Writes a company, found by domain, or makes one; 202 when Attio is yet to have it',
          tags: ['companies'],
          querystring: z.strictObject({ wait: waitFlag }),
          body: companyBody(rules),
          response: { 200: withSync(companySchema), 202: withSync(companySchema), ...problems },
        },
      },
      async (request, reply) => {
        const { wait } = request.query;
        const result = await companies.upsert(request.body, { wait, signal: waitSignal(reply, ending) });
        return reply.code(statusOf(result, wait)).send({ data: toJson(result), sync: result.sync });
      },
    );

    app.get(
      '/companies',
      {
        schema: {
          summary: 'Companies, all or those with a domain or external id',
          tags: ['companies'],
          querystring: listQuery,
          response: { 200: listOf(companySchema), ...problems },
        },
      },
      async (request) => {
        const page = await companies.list(toListQuery(request.query));
        return { data: page.rows.map((row) => toJson(row)), nextCursor: nextCursor(LIST, page.next) };
      },
    );

    app.get(
      '/companies/:id',
      {
        schema: {
          summary: 'One company; a merged id finds the survivor',
          tags: ['companies'],
          params: thingParams,
          querystring: noQuery,
          response: { 200: withSync(companySchema), ...problems },
        },
      },
      async (request) => {
        const found = await companies.get(request.params.id);
        return { data: toJson(found, found.mergedFrom), sync: found.sync };
      },
    );

    app.post(
      '/companies/:id/restore',
      {
        schema: {
          summary: 'Brings back a deleted company, here and in Attio; 202 when Attio is yet to have it',
          tags: ['companies'],
          params: thingParams,
          querystring: z.strictObject({ wait: waitFlag }),
          body: noBody,
          response: { 200: withSync(companySchema), 202: withSync(companySchema), ...problems },
        },
      },
      async (request, reply) => {
        const options = { ...request.query, signal: waitSignal(reply, ending) };
        const result = await companies.restore(request.params.id, options);
        return reply
          .code(statusOf(result, request.query.wait))
          .send({ data: toJson(result), sync: result.sync });
      },
    );
  };
}

function toJson(company: Synced<Company>, mergedFrom?: readonly string[]): z.input<typeof companySchema> {
  return { ...withState(company, mergedFrom), domains: [...company.thing.domains] };
}
