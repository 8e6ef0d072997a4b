import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Synced } from '../../services/inputs.ts';
import type { EntryView } from '../../services/items/inputs.ts';
import type { PipelineOverview } from '../../services/pipeline/pipeline.ts';
import { attributesBody } from '../attributes.ts';
import { cursorOf } from '../cursor.ts';
import type { PipelinesApi } from '../deps.ts';
import { amountField, oneParent, parentMembers, toParent } from '../item-bodies.ts';
import { headMembers, itemToJson } from '../item-schemas.ts';
import { limit, listOf, noQuery, oneOf, ownId, problems, SLUG, shownObject, waitFlag } from '../schemas.ts';
import { nextCursor, statusOf, toListQuery, withSync } from '../things.ts';
import { waitSignal } from '../wait.ts';

const LIST = 'entries';

const stageSchema = z
  .object({ id: z.string().nullable(), title: z.string().nullable() })
  .nullable()
  .meta({ description: '`id` is null until Attio has confirmed a stage that could not be looked up' });

const entrySchema = z
  .object({
    ...headMembers,
    entryId: z.string().nullable().meta({ description: "Attio's id; null until Attio has it" }),
    list: z.string(),
    object: z.string(),
    recordId: z.string().nullable().meta({ description: 'Of the record that is in the list' }),
    stage: stageSchema,
    value: z.object({ amount: z.number(), currencyCode: z.string().nullable() }).nullable(),
    attributes: shownObject.meta({ description: 'Other attributes of the list by slug, in plain form' }),
  })
  .meta({
    id: 'Entry',
    examples: [
      {
        id: '5d1f0c3e-8a42-4b7d-9c10-2e3f4a5b6c7d',
        entryId: '5d1f0c3e-8a42-4b7d-9c10-2e3f4a5b6c7d',
        list: 'recruiting',
        object: 'people',
        recordId: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
        stage: { id: '7c1d9a55-2b3e-4f60-8a71-92b3c4d5e6f7', title: 'Screening' },
        value: { amount: 1250.5, currencyCode: 'USD' },
        attributes: { tags: [] },
        version: 1,
        createdAt: '2026-01-01T09:30:00.000Z',
        updatedAt: '2026-01-01T09:30:00.000Z',
        deletedAt: null,
        sync: { status: 'synced', recordId: '5d1f0c3e-8a42-4b7d-9c10-2e3f4a5b6c7d' },
      },
    ],
  });

const overviewSchema = z
  .object({
    list: z.object({ slug: z.string(), name: z.string(), parentObjects: z.array(z.string()) }),
    stages: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        count: z.int(),
        valueTotal: z.number(),
        currencyCode: z.string().nullable(),
        archived: z
          .literal(true)
          .exactOptional()
          .meta({ description: 'Nothing can be put into it any more; shown while something is in it' }),
      }),
    ),
  })
  .meta({
    id: 'Pipeline',
    examples: [
      {
        list: { slug: 'recruiting', name: 'Recruiting', parentObjects: ['people'] },
        stages: [
          {
            id: '7c1d9a55-2b3e-4f60-8a71-92b3c4d5e6f7',
            title: 'Screening',
            count: 12,
            valueTotal: 48_000,
            currencyCode: 'USD',
          },
        ],
      },
    ],
  });

const stageField = z
  .string({
    error: ({ input }) => (input === undefined ? 'is missing' : 'must be the title or id of a stage'),
  })
  .refine((text) => text.trim() !== '', 'is blank')
  .meta({ description: 'A title in any case, or an id', examples: ['Screening'] });

const attributes = attributesBody(() => null, null);

const newEntry = z
  .strictObject(
    {
      ...parentMembers,
      stage: stageField.exactOptional().meta({
        description:
          'A title in any case, or an id. May be left out for a record that is in the list already, and in a list without stages',
      }),
      value: amountField,
      attributes,
      allowDuplicate: z
        .boolean('must be true or false')
        .exactOptional()
        .meta({ description: 'Makes a second entry of a record that is in the list already' }),
    },
    'must be an object with recordId or email, and stage',
  )
  .check(oneParent)
  .meta({
    id: 'PostEntry',
    examples: [
      {
        email: 'ada@example.com',
        stage: 'Screening',
        value: { amount: 1250.5 },
        attributes: { tags: ['Senior'] },
      },
    ],
  });

const changedEntry = z
  .strictObject(
    { stage: stageField.nullable().exactOptional(), value: amountField, attributes },
    'must be an object',
  )
  .refine((body) => Object.keys(body).length > 0, 'has nothing to change: send stage, value or attributes')
  .meta({ id: 'PatchEntry', examples: [{ stage: 'Interview' }] });

const list = z.string().regex(SLUG, 'is not the slug of a list').meta({
  description: "Slug of a list; `deals` is the deals object's own pipeline unless a list bears that slug",
});
const listParams = z.strictObject({ list });
const entryParams = z.strictObject({
  list,
  entryId: ownId.meta({ description: "This service's id or Attio's" }),
});
const writeQuery = z.strictObject({ wait: waitFlag });

/** Lists as pipelines. Reads are from the local database; writes go there first and then to Attio. */
export function pipelinesRoutes(pipelines: PipelinesApi, ending: AbortSignal): FastifyPluginAsyncZod {
  const written = { 200: withSync(entrySchema), 202: withSync(entrySchema), ...problems };
  return async (app) => {
    app.post(
      '/pipelines/:list/entries',
      {
        schema: {
          summary:
            'Puts a record into a list, or changes the entry that it has there; 202 when Attio is yet to have it',
          tags: ['pipelines'],
          params: listParams,
          querystring: writeQuery,
          body: newEntry,
          response: written,
        },
      },
      async (request, reply) => {
        const { object: _, recordId: _id, email: _email, ...input } = request.body;
        const result = await pipelines.addEntry(
          request.params.list,
          { ...input, parent: toParent(request.body) },
          { wait: request.query.wait, signal: waitSignal(reply, ending), requestKey: request.requestKey },
        );
        return reply
          .code(statusOf(result, request.query.wait))
          .send({ data: toJson(result), sync: result.sync });
      },
    );

    app.patch(
      '/pipelines/:list/entries/:entryId',
      {
        schema: {
          summary: 'Changes an entry, or moves it to another stage; 202 when Attio is yet to have it',
          tags: ['pipelines'],
          params: entryParams,
          querystring: writeQuery,
          body: changedEntry,
          response: written,
        },
      },
      async (request, reply) => {
        const { list: slug, entryId } = request.params;
        const result = await pipelines.updateEntry(slug, entryId, request.body, {
          wait: request.query.wait,
          signal: waitSignal(reply, ending),
          requestKey: request.requestKey,
        });
        return reply
          .code(statusOf(result, request.query.wait))
          .send({ data: toJson(result), sync: result.sync });
      },
    );

    app.get(
      '/pipelines/:list/entries',
      {
        schema: {
          summary: 'Entries of a list, all or those in a stage',
          tags: ['pipelines'],
          params: listParams,
          querystring: z.strictObject({
            stage: stageField
              .exactOptional()
              .meta({ description: 'A title in any case, or an id; also of one that is archived' }),
            limit,
            cursor: cursorOf(LIST, 'string').exactOptional(),
          }),
          response: { 200: listOf(entrySchema), ...problems },
        },
      },
      async (request) => {
        const page = await pipelines.entries(request.params.list, toListQuery(request.query));
        return { data: page.rows.map(toJson), nextCursor: nextCursor(LIST, page.next) };
      },
    );

    app.get(
      '/pipelines/:list/entries/:entryId',
      {
        schema: {
          summary: 'One entry of a list',
          tags: ['pipelines'],
          params: entryParams,
          querystring: noQuery,
          response: { 200: withSync(entrySchema), ...problems },
        },
      },
      async (request) => {
        const found = await pipelines.entry(request.params.list, request.params.entryId);
        return { data: toJson(found), sync: found.sync };
      },
    );

    app.get(
      '/pipelines/:list',
      {
        schema: {
          summary: "A list's stages, with how many entries are in each and what they are worth",
          tags: ['pipelines'],
          params: listParams,
          querystring: noQuery,
          response: { 200: oneOf(overviewSchema), ...problems },
        },
      },
      async (request) => ({ data: overviewToJson(await pipelines.overview(request.params.list)) }),
    );
  };
}

function toJson(entry: Synced<EntryView>): z.input<typeof entrySchema> {
  return itemToJson(entry, 'entryId');
}

function overviewToJson({ list: { parentObjects, ...rest }, stages }: PipelineOverview) {
  return { list: { ...rest, parentObjects: [...parentObjects] }, stages: [...stages] };
}
