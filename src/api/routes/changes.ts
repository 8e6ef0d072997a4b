import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { CHANGE_TYPES } from '../../domain/changes.ts';
import type { ChangesService } from '../../services/changes.ts';
import { CHANGES_LIST, changeJson } from '../change-json.ts';
import { cursorOrLatest, encodeCursor } from '../cursor.ts';
import { instant, limit, problems, shownObject, wholeNumber } from '../schemas.ts';
import { waitSignal } from '../wait.ts';

const changeSchema = z
  .object({
    cursor: z.string(),
    type: z.enum(CHANGE_TYPES),
    object: z
      .string()
      .optional()
      .meta({ description: 'Slug; of an entry, note, task or comment that of the record it is about' }),
    id: z.string(),
    mergedId: z.string().optional(),
    source: z.enum(['attio', 'local']),
    changed: z
      .array(z.string())
      .meta({ description: 'Slugs whose values changed; of a note, task or comment its members' }),
    at: instant,
    data: shownObject,
  })
  .meta({
    id: 'Change',
    examples: [
      {
        cursor: 'eyJrIjoiY2hhbmdlcyIsImEiOjQyfQ',
        type: 'record.updated',
        object: 'people',
        id: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
        source: 'attio',
        changed: ['job_title'],
        at: '2026-01-01T09:30:00.000Z',
        data: {
          recordId: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
          webUrl: 'https://app.attio.com/example/person/bf071e1f-6035-429d-b874-d83ea64ea13b',
          createdAt: '2026-01-01T09:00:00.000Z',
          values: { job_title: 'Analyst' },
        },
      },
    ],
  });

const page = z.object({
  data: z.array(changeSchema),
  nextCursor: z.string().meta({ description: 'Send it as `after`; with no rows it is `after` itself' }),
});

const seconds = wholeNumber(0, 30);

const query = z.strictObject({
  after: cursorOrLatest(CHANGES_LIST)
    .optional()
    .meta({ description: 'The last cursor seen; `latest`: from now; left out: the oldest kept' }),
  limit,
  wait: z
    .preprocess(seconds.digits, seconds.schema.default(0))
    .meta({ description: 'Seconds to wait for the first change when there is none' }),
});

/** The feed that internal systems follow. */
export function changesRoutes(
  changes: Pick<ChangesService, 'read'>,
  ending: AbortSignal,
): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/changes',
      {
        schema: {
          summary: 'Changes in order, at least once, without gaps',
          tags: ['changes'],
          querystring: query,
          response: { 200: page, ...problems },
        },
      },
      async (request, reply) => {
        const { after = null, limit, wait } = request.query;
        const signal = waitSignal(reply, ending);
        const { rows, next } = await changes.read({ after, limit, waitMs: wait * 1000, signal });
        return { data: rows.map(changeJson), nextCursor: encodeCursor(CHANGES_LIST, next) };
      },
    );
  };
}
