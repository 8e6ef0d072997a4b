import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ChangeWebhookView } from '../../services/change-webhooks/pusher.ts';
import { CHANGES_LIST } from '../change-json.ts';
import { encodeCursor } from '../cursor.ts';
import type { HttpDeps } from '../deps.ts';
import { instant, listOf, noBody, noQuery, oneOf, ownId, problems } from '../schemas.ts';

const instantOrNull = instant.nullable();

const webhookSchema = z
  .object({
    id: z.string().meta({ description: 'Of its address: another address is another one' }),
    host: z
      .string()
      .meta({ description: 'Of its address; the rest, which may hold a password, is not shown' }),
    number: z
      .int()
      .nullable()
      .meta({ description: 'Its place in CHANGE_WEBHOOK_URLS, from 1; null: it is not there any more' }),
    status: z.enum(['active', 'disabled']),
    cursor: z
      .string()
      .nullable()
      .meta({ description: 'Changes up to here are delivered or wait; null: not started with yet' }),
    pending: z.int().meta({ description: 'Deliveries that are still to be made, at most' }),
    oldestAt: instantOrNull.meta({ description: 'When the oldest change that waits was made' }),
    dead: z.int().meta({ description: 'Deliveries that were given up' }),
    missed: z.int().meta({ description: 'Changes that were dropped while it was disabled for too long' }),
    createdAt: instant,
    lastSuccessAt: instantOrNull,
    lastErrorAt: instantOrNull,
    lastError: z.string().nullable(),
    failingSince: instantOrNull.meta({ description: 'The first failure since the last success' }),
    disabledAt: instantOrNull,
    disabledReason: z.string().nullable(),
  })
  .meta({
    id: 'ChangeWebhook',
    examples: [
      {
        id: '3f0c8a12b7d94e65',
        host: 'hooks.example.com',
        number: 1,
        status: 'active',
        cursor: 'eyJrIjoiY2hhbmdlcyIsImEiOjQyfQ',
        pending: 0,
        oldestAt: null,
        dead: 0,
        missed: 0,
        createdAt: '2026-01-01T09:00:00.000Z',
        lastSuccessAt: '2026-01-01T09:30:00.000Z',
        lastErrorAt: null,
        lastError: null,
        failingSince: null,
        disabledAt: null,
        disabledReason: null,
      },
    ],
  });

/** Where changes are pushed to. */
export function changeWebhooksRoutes(
  webhooks: HttpDeps['services']['changeWebhooks'],
): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/change-webhooks',
      {
        schema: {
          summary: 'The addresses that changes are pushed to, and how they fare',
          tags: ['changes'],
          querystring: noQuery,
          response: { 200: listOf(webhookSchema), ...problems },
        },
      },
      async () => ({ data: (await webhooks.list()).map(toJson), nextCursor: null }),
    );

    app.post(
      '/change-webhooks/:id/enable',
      {
        schema: {
          summary: 'Pushes to it again, at once, from where it was',
          tags: ['changes'],
          params: z.strictObject({ id: ownId }),
          querystring: noQuery,
          body: noBody,
          response: { 200: oneOf(webhookSchema), ...problems },
        },
      },
      async (request) => ({ data: toJson(await webhooks.enable(request.params.id)) }),
    );
  };
}

function toJson({ position, ...webhook }: ChangeWebhookView): z.input<typeof webhookSchema> {
  return { ...webhook, cursor: position === null ? null : encodeCursor(CHANGES_LIST, position) };
}
