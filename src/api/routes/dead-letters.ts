import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { DEAD_LETTER_KINDS, type DeadLetter } from '../../domain/dead-letters.ts';
import type { DeadLettersService } from '../../services/dead-letters.ts';
import { cursorOf, encodeCursor } from '../cursor.ts';
import { instant, limit, listOf, noBody, noQuery, oneOf, ownId, problems } from '../schemas.ts';

const LIST = 'dead-letters';
/** Characters of base64: what Attio sends is far below, and a page of these stays a few megabytes. */
const MAX_SHOWN_BODY = 8192;

const kind = z.enum(DEAD_LETTER_KINDS, 'must be inbox, outbox, notify or automation').optional();

const letterSchema = z
  .object({
    id: z.string(),
    kind: z.enum(DEAD_LETTER_KINDS),
    reason: z.string().meta({ description: 'A stable code' }),
    detail: z.string(),
    eventId: z.int().nullable(),
    outboxId: z.int().nullable().meta({ description: 'The row of the write that was given up' }),
    automation: z.string().nullable().meta({ description: 'The name of the automation that was given up' }),
    deliveryId: z.int().nullable().meta({ description: 'The push of a change that was given up' }),
    eventType: z.string().nullable().meta({ description: 'Of the webhook event, or of the change' }),
    bodyBase64: z
      .string()
      .nullable()
      .meta({ description: `The body that could not be read; null when longer than ${MAX_SHOWN_BODY}` }),
    attempts: z.int(),
    createdAt: instant,
  })
  .meta({
    id: 'DeadLetter',
    examples: [
      {
        id: '7',
        kind: 'inbox',
        reason: 'attempts_exhausted',
        detail: 'the record could not be read',
        eventId: 91,
        outboxId: null,
        automation: null,
        deliveryId: null,
        eventType: 'record.updated',
        bodyBase64: null,
        attempts: 10,
        createdAt: '2026-01-01T09:30:00.000Z',
      },
    ],
  });

const replayed = z
  .object({
    replayed: z.int(),
    refused: z.int().meta({ description: 'Those that cannot be taken back to work: they stay' }),
  })
  .meta({ id: 'Replayed' });

/** What was given up: seen, and tried again. */
export function deadLettersRoutes(
  letters: Pick<DeadLettersService, 'list' | 'replay' | 'replayAll'>,
): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/dead-letters',
      {
        schema: {
          summary: 'Work that was given up, the oldest first',
          tags: ['dead letters'],
          querystring: z.strictObject({ kind, limit, cursor: cursorOf(LIST, 'number').optional() }),
          response: { 200: listOf(letterSchema), ...problems },
        },
      },
      async (request) => {
        const { kind = null, cursor: after = 0, limit } = request.query;
        const page = await letters.list({ kind, after, limit });
        return {
          data: page.rows.map(toJson),
          nextCursor: page.next === null ? null : encodeCursor(LIST, page.next),
        };
      },
    );

    app.post(
      '/dead-letters/:id/replay',
      {
        schema: {
          summary: 'Takes one back to work',
          tags: ['dead letters'],
          params: z.strictObject({ id: ownId }),
          querystring: noQuery,
          body: noBody,
          response: { 200: oneOf(letterSchema), ...problems },
        },
      },
      async (request) => ({ data: toJson(await letters.replay(request.params.id)) }),
    );

    app.post(
      '/dead-letters/replay',
      {
        schema: {
          summary: 'Takes all back to work, or all of a kind',
          tags: ['dead letters'],
          querystring: z.strictObject({ kind }),
          body: noBody,
          response: { 200: oneOf(replayed), ...problems },
        },
      },
      async (request) => ({ data: await letters.replayAll(request.query.kind ?? null) }),
    );
  };
}

function toJson(letter: DeadLetter): z.input<typeof letterSchema> {
  const shown = letter.bodyBase64 !== null && letter.bodyBase64.length <= MAX_SHOWN_BODY;
  return { ...letter, bodyBase64: shown ? letter.bodyBase64 : null };
}
