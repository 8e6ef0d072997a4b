import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { cursorOf, encodeCursor } from '../cursor.ts';
import type { ConflictsApi } from '../deps.ts';
import { instant, limit, listOf, problems } from '../schemas.ts';

const LIST = 'conflicts';

const status = z.enum(['open', 'resolved'], 'must be open or resolved');
const plain = z.unknown().meta({ description: 'In plain form; null: no value' });

const conflictSchema = z
  .object({
    id: z.string(),
    object: z.string(),
    entityId: z.string().meta({ description: "This service's id of the contact or company" }),
    recordId: z.string().nullable(),
    field: z.string().meta({ description: 'Slug of the attribute' }),
    base: plain,
    local: plain,
    attio: plain,
    decided: z.enum(['local', 'attio']).meta({ description: 'Whose value stands' }),
    status,
    reason: z.string(),
    at: instant,
  })
  .meta({
    id: 'Conflict',
    examples: [
      {
        id: '12',
        object: 'people',
        entityId: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
        recordId: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
        field: 'job_title',
        base: 'Analyst',
        local: 'Head of Analysis',
        attio: null,
        decided: 'attio',
        status: 'resolved',
        reason: 'changed in Attio after it was changed here',
        at: '2026-01-01T09:30:00.000Z',
      },
    ],
  });

/** Fields that were changed on both sides. */
export function conflictsRoutes(conflicts: ConflictsApi): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/conflicts',
      {
        schema: {
          summary: 'Fields that were changed here and in Attio at once, the oldest first',
          tags: ['conflicts'],
          querystring: z.strictObject({
            status: status.optional(),
            limit,
            cursor: cursorOf(LIST, 'number').optional(),
          }),
          response: { 200: listOf(conflictSchema), ...problems },
        },
      },
      async (request) => {
        const { status = null, cursor: after = 0, limit } = request.query;
        const page = await conflicts.list({ status, after, limit });
        return {
          data: page.rows.map((conflict) => ({ ...conflict })),
          nextCursor: page.next === null ? null : encodeCursor(LIST, page.next),
        };
      },
    );
  };
}
