import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Deal } from '../../domain/entities.ts';
import type { FieldRule } from '../../domain/mapping.ts';
import type { Synced } from '../../services/inputs.ts';
import { dealBody, dealChangeBody } from '../deal-body.ts';
import type { DealsApi } from '../deps.ts';
import { listOf, noQuery, problems, waitFlag } from '../schemas.ts';
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

const LIST = 'deals';

const dealSchema = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    stage: z
      .object({ id: z.string().nullable(), title: z.string().nullable() })
      .nullable()
      .meta({ description: '`id` is null until Attio has confirmed a stage that could not be looked up' }),
    value: z.object({ amount: z.number(), currencyCode: z.string().nullable() }).nullable(),
    companyRecordId: z.string().nullable(),
    contactRecordIds: z.array(z.string()),
    ownerId: z.string().nullable().meta({ description: 'Of a member of the workspace' }),
    ownerEmail: z.string().nullable().meta({ description: 'Null when the member is not known here' }),
    ...commonMembers,
    externalId: z.string().nullable().meta({ description: 'Null for a deal that was made in Attio' }),
  })
  .meta({
    id: 'Deal',
    examples: [
      {
        id: '3b0c8f2e-7d41-4c5a-9e21-5f6a7b8c9d0e',
        name: 'Analytical engine',
        stage: { id: '7c1d9a55-2b3e-4f60-8a71-92b3c4d5e6f7', title: 'In Progress' },
        value: { amount: 1250.5, currencyCode: 'EUR' },
        companyRecordId: '9ce5e7a0-1c2d-4f3e-8a9b-0c1d2e3f4a5b',
        contactRecordIds: ['bf071e1f-6035-429d-b874-d83ea64ea13b'],
        ownerId: '5a6b7c8d-9e0f-4a1b-8c2d-3e4f5a6b7c8d',
        ownerEmail: 'robin@example.com',
        externalId: 'order:4711',
        attributes: {},
        recordId: 'd4e5f6a7-b8c9-4d0e-9f1a-2b3c4d5e6f7a',
        webUrl: 'https://app.attio.com/example/deals/record/d4e5f6a7-b8c9-4d0e-9f1a-2b3c4d5e6f7a',
        version: 2,
        createdAt: '2026-01-01T09:30:00.000Z',
        updatedAt: '2026-01-02T10:00:00.000Z',
        deletedAt: null,
        sync: { status: 'synced', recordId: 'd4e5f6a7-b8c9-4d0e-9f1a-2b3c4d5e6f7a' },
      },
    ],
  });

const listQuery = z.strictObject(listParams(LIST));

/** Deals as internal systems know them: read from the local database, written there first and then to Attio. */
export function dealsRoutes(
  deals: DealsApi,
  rules: readonly FieldRule[],
  ending: AbortSignal,
): FastifyPluginAsyncZod {
  const written = { 200: withSync(dealSchema), 202: withSync(dealSchema), ...problems };
  return async (app) => {
    app.put(
      '/deals',
      {
        schema: {
          summary: 'Writes a deal, found by external id, or makes one; 202 when Attio is yet to have it',
          tags: ['deals'],
          querystring: z.strictObject({ wait: waitFlag }),
          body: dealBody(rules),
          response: written,
        },
      },
      async (request, reply) => {
        const { wait } = request.query;
        const result = await deals.upsert(request.body, { wait, signal: waitSignal(reply, ending) });
        return reply.code(statusOf(result, wait)).send({ data: toJson(result), sync: result.sync });
      },
    );

    app.get(
      '/deals',
      {
        schema: {
          summary: 'Deals, all or the one with an external id',
          tags: ['deals'],
          querystring: listQuery,
          response: { 200: listOf(dealSchema), ...problems },
        },
      },
      async (request) => {
        const page = await deals.list(toListQuery(request.query));
        return { data: page.rows.map((row) => toJson(row)), nextCursor: nextCursor(LIST, page.next) };
      },
    );

    app.get(
      '/deals/:id',
      {
        schema: {
          summary: 'One deal; a merged id finds the survivor',
          tags: ['deals'],
          params: thingParams,
          querystring: noQuery,
          response: { 200: withSync(dealSchema), ...problems },
        },
      },
      async (request) => {
        const found = await deals.get(request.params.id);
        return { data: toJson(found, found.mergedFrom), sync: found.sync };
      },
    );

    app.patch(
      '/deals/:id',
      {
        schema: {
          summary: 'Changes a deal, wherever it was made; 202 when Attio is yet to have it',
          tags: ['deals'],
          params: thingParams,
          querystring: z.strictObject({ wait: waitFlag }),
          body: dealChangeBody(rules),
          response: written,
        },
      },
      async (request, reply) => {
        const options = { wait: request.query.wait, signal: waitSignal(reply, ending) };
        const result = await deals.update(request.params.id, request.body, options);
        return reply
          .code(statusOf(result, request.query.wait))
          .send({ data: toJson(result), sync: result.sync });
      },
    );
  };
}

function toJson(deal: Synced<Deal>, mergedFrom?: readonly string[]): z.input<typeof dealSchema> {
  return { ...withState(deal, mergedFrom), contactRecordIds: [...deal.thing.contactRecordIds] };
}
