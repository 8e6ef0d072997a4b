import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { Answer } from './answers.ts';
import { handleError, toProblem } from './error-handler.ts';
import { notNow, ProblemError, UNSUPPORTED_MEDIA_TYPE } from './problem.ts';
import { problems } from './schemas.ts';

/** Says whether Attio has signed a body. */
export interface DeliveryVerifier {
  /** Without a secret nothing can be verified, and nothing is accepted. */
  readonly configured: boolean;
  /** Never throws. */
  verify(rawBody: Buffer, signatures: { attio: string | undefined; xAttio: string | undefined }): boolean;
}

/** Keeps what Attio has signed. */
export interface DeliveryInbox {
  /**
   * Durable when it resolves.
   * @throws ServiceError `unavailable` when it cannot be stored
   */
  accept(
    rawBody: Buffer,
    idempotencyKey: string | null,
  ): Promise<{ accepted: number; duplicates: number; quarantined: number }>;
}

export type Rejection =
  | 'not_configured'
  | 'bad_signature'
  | 'too_large'
  | 'wrong_media_type'
  | 'bad_request'
  | 'draining'
  | 'not_stored'
  | 'failed';

export interface WebhookDeps {
  readonly verifier: DeliveryVerifier;
  readonly inbox: DeliveryInbox;
  readonly events: { deliveryRejected(result: Rejection): void };
}

const RETRY_SECONDS = 60;

/** By the kind of the problem that the sender is told. */
const REJECTIONS: Readonly<Record<string, Rejection>> = {
  'not-configured': 'not_configured',
  'bad-signature': 'bad_signature',
  'body-too-large': 'too_large',
  'unsupported-media-type': 'wrong_media_type',
  'bad-request': 'bad_request',
  draining: 'draining',
  unavailable: 'not_stored',
};

const accepted = z
  .object({ accepted: z.int(), duplicates: z.int(), quarantined: z.int().optional() })
  .meta({ id: 'DeliveryAccepted', examples: [{ accepted: 1, duplicates: 0 }] });

/**
 * Where Attio delivers its events.
 *
 * The signature is over the bytes, so the body stays bytes here: this plugin's parser is its own. Nothing that Attio
 * has signed is refused, because a refusal is repeated for three days and then switches the webhook off.
 */
export function webhookRoutes({ verifier, inbox, events }: WebhookDeps): FastifyPluginAsyncZod {
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer' },
      (_request: FastifyRequest, body: Buffer, done: (error: null, body: Buffer) => void) => done(null, body),
    );
    app.setErrorHandler((error, request, reply) => {
      events.deliveryRejected(REJECTIONS[toProblem(error).kind] ?? 'failed');
      return handleError(error, request, reply);
    });

    app.post(
      '/webhooks',
      {
        onRequest: (_request, _reply, done) => {
          if (!verifier.configured) throw notConfigured();
          done();
        },
        config: { openapiBody: DELIVERY, answersItself: true },
        schema: {
          summary: "Attio's deliveries",
          description:
            'Signed by Attio-Signature or X-Attio-Signature: hex HMAC-SHA256 of the body. Idempotency-Key tells redeliveries. Answers when what it accepted is durable.',
          tags: ['webhooks'],
          response: { 202: accepted, ...problems },
        },
      },
      async (request, reply) => {
        const body = request.body;
        if (!Buffer.isBuffer(body)) throw new ProblemError(UNSUPPORTED_MEDIA_TYPE);
        if (!verifier.verify(body, signaturesOf(request))) throw badSignature();
        answerOf(await inbox.accept(body, idempotencyKeyOf(request))).send(request, reply, 202);
      },
    );
  };
}

/** Nearly all deliveries have one event, and have not been here before. */
const ONE_ACCEPTED = new Answer({ accepted: 1, duplicates: 0 });

function answerOf({
  accepted,
  duplicates,
  quarantined,
}: Awaited<ReturnType<DeliveryInbox['accept']>>): Answer {
  if (accepted === 1 && duplicates === 0 && quarantined === 0) return ONE_ACCEPTED;
  return new Answer({ accepted, duplicates, ...(quarantined === 0 ? {} : { quarantined }) });
}

/** What Attio sends, for the API's description. */
const DELIVERY = {
  type: 'object',
  properties: {
    webhook_id: { type: 'string', format: 'uuid' },
    events: { type: 'array', items: { type: 'object', properties: { event_type: { type: 'string' } } } },
  },
  examples: [
    {
      webhook_id: '3a1e5c6b-0f7d-4d6e-9a53-1b2c3d4e5f60',
      events: [
        {
          event_type: 'record.updated',
          id: {
            workspace_id: '14beef7a-99f7-4534-a87e-70b564330a4c',
            object_id: '97052eb9-e65e-443f-a297-f2d9a4a7f795',
            record_id: 'bf071e1f-6035-429d-b874-d83ea64ea13b',
            attribute_id: '41252299-f8c7-4b5e-99c9-4ff8321d2f96',
          },
        },
      ],
    },
  ],
};

function signaturesOf({ headers }: FastifyRequest) {
  return { attio: one(headers['attio-signature']), xAttio: one(headers['x-attio-signature']) };
}

/** A blank one is none. */
function idempotencyKeyOf({ headers }: FastifyRequest): string | null {
  return one(headers['idempotency-key'])?.trim() || null;
}

/** A header sent twice arrives as one text, which no signature is. */
function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header;
}

function notConfigured(): ProblemError {
  return new ProblemError(
    notNow(
      'not-configured',
      'No webhook secret is configured, so no delivery can be verified: set ATTIO_WEBHOOK_SECRET.',
      RETRY_SECONDS,
    ),
  );
}

function badSignature(): ProblemError {
  return new ProblemError({
    status: 401,
    kind: 'bad-signature',
    detail:
      "The signature is missing or wrong: sign the raw body with the webhook's secret (HMAC-SHA256, lower-case hex) in Attio-Signature.",
  });
}
