import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { BatchRejection, BatchView } from '../../domain/batches.ts';
import type { FieldRule } from '../../domain/mapping.ts';
import type { ContactInput } from '../../services/inputs.ts';
import { contactBody } from '../contact-body.ts';
import type { BatchesApi, ContactsApi } from '../deps.ts';
import { inputErrors } from '../error-handler.ts';
import { badInput, MAX_ERRORS, ProblemError } from '../problem.ts';
import { inputError, instant, noQuery, oneOf, ownId, problems } from '../schemas.ts';

const MAX_ITEMS = 1000;
const BODY_LIMIT_BYTES = 4 * 1024 * 1024;
const SIZE = `must be a list of 1 to ${MAX_ITEMS} contacts`;

const count = z.int().min(0);

/** Each contact is looked at on its own, so that one that is wrong stops none of the others. */
const batchBody = z.strictObject(
  { contacts: z.array(z.unknown(), SIZE).min(1, SIZE).max(MAX_ITEMS, SIZE) },
  'must be an object with contacts',
);

/** The same, as it is described. */
const BATCH_BODY = {
  type: 'object',
  properties: {
    contacts: {
      type: 'array',
      minItems: 1,
      maxItems: MAX_ITEMS,
      items: { $ref: '#/components/schemas/PutContactInput' },
    },
  },
  required: ['contacts'],
  additionalProperties: false,
  examples: [{ contacts: [{ email: 'ada@example.com', firstName: 'Ada' }, { email: 'bob@example.com' }] }],
};

const receiptSchema = z
  .object({
    id: z.string(),
    accepted: count,
    rejected: z.array(z.object({ index: count, errors: z.array(inputError) })).meta({
      description: 'Contacts that are wrong in themselves; paths are JSON pointers into the contact',
    }),
  })
  .meta({
    id: 'BatchReceipt',
    examples: [
      {
        id: '0b9a3c1e-7a52-4d3c-9b53-5a0c2f4e6d71',
        accepted: 1,
        rejected: [{ index: 1, errors: [{ path: '/email', message: 'is not an e-mail address' }] }],
      },
    ],
  });

const batchSchema = z
  .object({
    id: z.string(),
    createdAt: instant,
    total: count.meta({
      description: 'All that were sent: synced, pending and failed ones, the rejected among these',
    }),
    synced: count,
    pending: count,
    failed: count,
    errors: z.array(z.object({ index: count, code: z.string(), message: z.string() })),
  })
  .meta({
    id: 'Batch',
    examples: [
      {
        id: '0b9a3c1e-7a52-4d3c-9b53-5a0c2f4e6d71',
        createdAt: '2026-01-01T09:30:00.000Z',
        total: 3,
        synced: 1,
        pending: 1,
        failed: 1,
        errors: [{ index: 2, code: 'uniqueness_conflict', message: 'another record has this value' }],
      },
    ],
  });

/** Many contacts at once, and how they fare. */
export function batchesRoutes(
  contacts: Pick<ContactsApi, 'batch'>,
  batches: BatchesApi,
  rules: readonly FieldRule[],
): FastifyPluginAsyncZod {
  const contact = contactBody(rules);
  return async (app) => {
    app.post(
      '/contacts/batch',
      {
        bodyLimit: BODY_LIMIT_BYTES,
        config: { openapiBody: BATCH_BODY },
        schema: {
          summary: 'Writes up to 1000 contacts, in order; GET /v1/batches/{id} tells how they fare',
          description: 'Takes up to 4 MiB. 400 when not one of the contacts can be taken.',
          tags: ['contacts'],
          querystring: noQuery,
          body: batchBody,
          response: { 202: oneOf(receiptSchema), ...problems },
        },
      },
      async (request, reply) => {
        const { items, rejected } = sortOut(contact, request.body.contacts);
        if (items.length === 0) throw allWrong(rejected);
        const receipt = await contacts.batch(items, rejected, request.requestKey);
        const shown = receipt.rejected.map(({ index, errors }) => ({ index, errors: [...errors] }));
        return reply.code(202).send({ data: { ...receipt, rejected: shown } });
      },
    );

    app.get(
      '/batches/:id',
      {
        schema: {
          summary: 'How the contacts of a batch fare',
          tags: ['contacts'],
          params: z.strictObject({ id: ownId }),
          querystring: noQuery,
          response: { 200: oneOf(batchSchema), ...problems },
        },
      },
      async (request) => ({ data: toJson(await batches.get(request.params.id)) }),
    );
  };
}

function sortOut(body: ReturnType<typeof contactBody>, contacts: readonly unknown[]) {
  const items: { index: number; input: ContactInput }[] = [];
  const rejected: BatchRejection[] = [];
  for (const [index, contact] of contacts.entries()) {
    const { success, data, error } = body.safeParse(contact);
    if (success) items.push({ index, input: data });
    else rejected.push({ index, errors: errorsOf(error) });
  }
  return { items, rejected };
}

function errorsOf({ issues }: z.ZodError): BatchRejection['errors'] {
  const faults = issues.map(({ code, path, message, ...params }) => ({
    keyword: code,
    instancePath: `/${path.join('/')}`,
    message,
    params,
  }));
  return inputErrors(faults, true).slice(0, MAX_ERRORS);
}

function allWrong(rejected: readonly BatchRejection[]): ProblemError {
  return new ProblemError(
    badInput(
      rejected.flatMap(({ index, errors }) =>
        errors.map(({ path, message }) => ({ path: `/contacts/${index}${path}`, message })),
      ),
    ),
  );
}

function toJson(batch: BatchView): z.input<typeof batchSchema> {
  return { ...batch, errors: batch.errors.map((error) => ({ ...error })) };
}
