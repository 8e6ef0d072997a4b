import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Conflict } from '../../domain/conflicts.ts';
import type { JsonObject } from '../../domain/json.ts';
import { cursorOf, encodeCursor } from '../cursor.ts';
import type { ConflictsApi } from '../deps.ts';
import { instant, jsonObject, limit, listOf, noQuery, oneOf, ownId, problems, waitFlag } from '../schemas.ts';
import { statusOf, withSync } from '../things.ts';
import { waitSignal } from '../wait.ts';

const LIST = 'conflicts';

const status = z.enum(['open', 'resolved'], 'must be open or resolved');
const plain = z.unknown().meta({ description: 'In plain form; null: no value' });
const sides = ['local', 'attio', 'merged'] as const;

const conflictSchema = z
  .object({
    id: z.string(),
    object: z.string().meta({ description: 'Slug of an object, or `entry` or `task`' }),
    entityId: z.string().meta({ description: "This service's id of the thing" }),
    recordId: z.string().nullable(),
    field: z.string().meta({ description: 'Slug of the attribute, a half of a name, or a member of a task' }),
    base: plain,
    local: plain,
    attio: plain,
    merged: z.unknown().optional().meta({ description: 'What was written in place of both' }),
    decided: z
      .enum(sides)
      .nullable()
      .meta({ description: 'Whose value stands; null: it is open, or both sides came to agree' }),
    status,
    reason: z.string().meta({
      description:
        'The policy that decided or opened it, or `concurrent`; of one that was open `resolved`, `agreed`, `removed`, `deleted_in_attio`, `merged_in_attio`; `refused`: open again, as Attio has refused what was decided',
    }),
    at: instant,
    resolvedAt: instant.nullable(),
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
        local: 'Buyer',
        attio: 'Head of Buying',
        decided: null,
        status: 'open',
        reason: 'manual',
        at: '2026-01-01T09:30:00.000Z',
        resolvedAt: null,
      },
    ],
  });

const resolutionBody = z
  .strictObject(
    {
      resolution: z.enum(sides, 'must be local, attio or merged'),
      values: jsonObject
        .exactOptional()
        .meta({ description: 'With `merged`: the value to write, by the field of the conflict' }),
    },
    'must be an object with resolution: local, attio or merged',
  )
  .meta({
    id: 'PostResolution',
    examples: [{ resolution: 'local' }, { resolution: 'merged', values: { job_title: 'Head Buyer' } }],
  });

const params = z.strictObject({ id: ownId });

/** Fields that were changed on both sides, and the decision about those that are open. */
export function conflictsRoutes(conflicts: ConflictsApi, ending: AbortSignal): FastifyPluginAsyncZod {
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
          data: page.rows.map(toJson),
          nextCursor: page.next === null ? null : encodeCursor(LIST, page.next),
        };
      },
    );

    app.get(
      '/conflicts/:id',
      {
        schema: {
          summary: 'One of them',
          tags: ['conflicts'],
          params,
          querystring: noQuery,
          response: { 200: oneOf(conflictSchema), ...problems },
        },
      },
      async (request) => ({ data: toJson(await conflicts.get(request.params.id)) }),
    );

    app.post(
      '/conflicts/:id/resolve',
      {
        schema: {
          summary: 'Settles an open one; 202 when Attio is yet to have the value',
          description:
            '`local`: what was asked for here is written to Attio. `attio`: its value stands, and is taken here. `merged`: the value in `values` is written. 409 when it is settled already; 422 for a value that the field does not take: the conflict stays open.',
          tags: ['conflicts'],
          params,
          querystring: z.strictObject({ wait: waitFlag }),
          body: resolutionBody,
          response: { 200: withSync(conflictSchema), 202: withSync(conflictSchema), ...problems },
        },
      },
      async (request, reply) => {
        const { resolution, values } = request.body;
        const input = values === undefined ? { resolution } : { resolution, values: values as JsonObject }; // it came as JSON
        const { wait } = request.query;
        const done = await conflicts.resolve(request.params.id, input, {
          wait,
          signal: waitSignal(reply, ending),
        });
        return reply.code(statusOf(done, wait)).send({ data: toJson(done.thing), sync: done.sync });
      },
    );
  };
}

function toJson({ wanted: _, merged, ...conflict }: Conflict): z.input<typeof conflictSchema> {
  return merged === undefined ? conflict : { ...conflict, merged };
}
