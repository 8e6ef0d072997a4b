import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { JsonObject } from '../../domain/json.ts';
import type { RecordsService } from '../../services/records.ts';
import { Answer } from '../answers.ts';
import {
  flag,
  jsonObject,
  listOf,
  noQuery,
  objectSlug,
  oneOf,
  problems,
  recordId,
  shownObject,
} from '../schemas.ts';

const attioRecord = shownObject.meta({ id: 'AttioRecord', description: 'A record, as Attio answers it' });

const queryBody = z
  .strictObject({
    filter: jsonObject.optional().meta({ description: "Attio's filter, passed through" }),
    sorts: z
      .array(jsonObject)
      .max(20, 'has more than 20 sorts')
      .optional()
      .meta({ description: "Attio's sorts" }),
    limit: z.int().min(1).max(500).optional(),
    offset: z.int().min(0).optional(),
  })
  .meta({
    description: 'A question to Attio. For the next page, send it again with a higher `offset`.',
    examples: [{ filter: { name: { $contains: 'Ada' } }, limit: 50 }],
  });

/** Attio's own records, through the cache. */
export function recordsRoutes(records: Pick<RecordsService, 'get' | 'query'>): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/records/:object/:recordId',
      {
        config: { answersItself: true },
        schema: {
          summary: 'One Attio record; the header x-cache says HIT, MISS or STALE',
          tags: ['records'],
          params: z.strictObject({ object: objectSlug, recordId }),
          querystring: noQuery,
          response: { 200: oneOf(attioRecord), ...problems },
        },
      },
      (request, reply) => {
        const { object, recordId } = request.params;
        const found = records.get(object, recordId);
        const answer = ({ record, cache }: Awaited<typeof found>) =>
          answerOf(record).send(request, reply, 200, 'x-cache', cache);
        return found instanceof Promise ? found.then(answer) : answer(found);
      },
    );

    app.post(
      '/records/:object/query',
      {
        schema: {
          summary: "Attio's record query, passed through; ?cache=true takes an answer from the cache",
          tags: ['records'],
          params: z.strictObject({ object: objectSlug }),
          querystring: z.strictObject({ cache: flag }),
          body: queryBody,
          response: { 200: listOf(attioRecord), ...problems },
        },
      },
      async (request, reply) => {
        const body = request.body as JsonObject; // it was read from JSON, and only checked since
        const found = await records.query(request.params.object, body, { cache: request.query.cache });
        reply.header('x-cache', found.cache);
        return { data: found.records, nextCursor: null };
      },
    );
  };
}

/** Of the records that callers were answered, as long as the cache keeps them: one that is read often is written once. */
const answers = new WeakMap<JsonObject, Answer>();

function answerOf(record: JsonObject): Answer {
  const known = answers.get(record);
  if (known !== undefined) return known;
  const answer = new Answer({ data: record });
  answers.set(record, answer);
  return answer;
}
