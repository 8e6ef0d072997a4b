import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { SyncRun } from '../../domain/sync-runs.ts';
import type { SyncRunView, SyncService } from '../../services/sync.ts';
import { cursorOf, encodeCursor } from '../cursor.ts';
import {
  flag,
  instant,
  limit,
  listOf,
  listSlug,
  noBody,
  noQuery,
  objectSlug,
  oneOf,
  ownId,
  problems,
} from '../schemas.ts';
import { waitSignal } from '../wait.ts';

const LIST = 'sync-runs';
const MAX_WAIT_MS = 300_000;

const count = z.int().min(0);

const oneRun = z.object({
  runId: z.string(),
  object: z.string().meta({ description: 'An object slug, `lists/<slug>`, `notes`, `tasks`, or `all`' }),
  status: z.enum(['running', 'succeeded', 'failed', 'cancelled']),
  startedAt: instant,
  finishedAt: instant.nullable(),
  pages: count,
  seen: count,
  created: count,
  updated: count,
  unchanged: count,
  deleted: count,
  merged: count,
  error: z.string().optional(),
});

const runSchema = oneRun
  .extend({
    runs: z.array(oneRun).optional().meta({ description: 'The runs that a run of `all` consists of' }),
  })
  .meta({
    id: 'SyncRun',
    examples: [
      {
        runId: '0b9a3c1e-7a52-4d3c-9b53-5a0c2f4e6d71',
        object: 'people',
        status: 'succeeded',
        startedAt: '2026-01-01T09:30:00.000Z',
        finishedAt: '2026-01-01T09:31:10.000Z',
        pages: 2,
        seen: 1000,
        created: 990,
        updated: 10,
        unchanged: 0,
        deleted: 0,
        merged: 0,
      },
    ],
  });

const started = z.object({ runId: z.string(), alreadyRunning: z.boolean() }).meta({ id: 'StartedSyncRun' });

const startQuery = z.strictObject({
  wait: flag.meta({ description: 'Wait up to 300 s for the run to end' }),
  force: flag.meta({ description: 'Let the run delete more than the larger of 50 records and 10 %' }),
});

type Sync = Pick<SyncService, 'start' | 'wait' | 'get' | 'list' | 'cancel'>;

/** Full syncs: started by cron or a person, watched and cancelled. */
export function syncRoutes(sync: Sync, ending: AbortSignal): FastifyPluginAsyncZod {
  const start = async (object: string, query: z.output<typeof startQuery>, reply: FastifyReply) => {
    const { runId, alreadyRunning } = await sync.start(object, { force: query.force });
    const run = query.wait ? await sync.wait(runId, MAX_WAIT_MS, waitSignal(reply, ending)) : null;
    return run === null || run.status === 'running'
      ? { status: 202 as const, body: { data: { runId, alreadyRunning } } }
      : { status: 200 as const, body: { data: toJson(run) } };
  };
  const startSchema = {
    tags: ['sync'],
    querystring: startQuery,
    body: noBody,
    response: { 200: oneOf(runSchema), 202: oneOf(started), ...problems },
  };

  return async (app) => {
    app.post(
      '/sync/all',
      {
        schema: {
          ...startSchema,
          summary:
            'Full sync of every configured object and list, of notes and tasks; 200 with the run after ?wait=true',
        },
      },
      async (request, reply) => {
        const { status, body } = await start('all', request.query, reply);
        return status === 200 ? reply.code(200).send(body) : reply.code(202).send(body);
      },
    );

    app.post(
      '/sync/:object',
      {
        schema: {
          ...startSchema,
          summary: 'Full sync of one object, or of `notes` or `tasks`; 200 with the run after ?wait=true',
          params: z.strictObject({ object: objectSlug }),
        },
      },
      async (request, reply) => {
        const { status, body } = await start(request.params.object, request.query, reply);
        return status === 200 ? reply.code(200).send(body) : reply.code(202).send(body);
      },
    );

    app.post(
      '/sync/lists/:list',
      {
        schema: {
          ...startSchema,
          summary: "Full sync of one list's entries; 200 with the run after ?wait=true",
          params: z.strictObject({ list: listSlug }),
        },
      },
      async (request, reply) => {
        const { status, body } = await start(`lists/${request.params.list}`, request.query, reply);
        return status === 200 ? reply.code(200).send(body) : reply.code(202).send(body);
      },
    );

    app.get(
      '/sync/runs',
      {
        schema: {
          summary: 'Sync runs, the newest first',
          tags: ['sync'],
          querystring: z.strictObject({ limit, cursor: cursorOf(LIST, 'string').optional() }),
          response: { 200: listOf(runSchema), ...problems },
        },
      },
      async (request) => {
        const page = await sync.list({ before: request.query.cursor ?? null, limit: request.query.limit });
        return {
          data: page.rows.map(toJson),
          nextCursor: page.next === null ? null : encodeCursor(LIST, page.next),
        };
      },
    );

    const params = z.strictObject({ runId: ownId });
    const response = { 200: oneOf(runSchema), ...problems };

    app.get(
      '/sync/runs/:runId',
      { schema: { summary: 'One sync run', tags: ['sync'], params, querystring: noQuery, response } },
      async (request) => ({ data: toJson(await sync.get(request.params.runId)) }),
    );

    app.delete(
      '/sync/runs/:runId',
      {
        schema: {
          summary: 'Cancels a sync run; one that has ended stays as it ended',
          tags: ['sync'],
          params,
          querystring: noQuery,
          body: noBody,
          response,
        },
      },
      async (request) => ({ data: toJson(await sync.cancel(request.params.runId)) }),
    );
  };
}

function toJson(run: SyncRunView): z.input<typeof runSchema> {
  return { ...oneToJson(run), ...(run.runs === undefined ? {} : { runs: run.runs.map(oneToJson) }) };
}

function oneToJson(run: SyncRun): z.input<typeof oneRun> {
  const { error, ...rest } = run;
  return { ...rest, ...(error === null ? {} : { error }) };
}
