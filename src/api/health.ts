import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { HealthReport, HealthService } from '../services/health.ts';
import type { Access } from './auth.ts';
import { notNow, ProblemError } from './problem.ts';
import { problems } from './schemas.ts';

const queue = z.object({ pending: z.int(), oldestAgeSeconds: z.number(), dead: z.int() });
const latencyMs = z.number().nullable();

const healthSchema = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    version: z.string().optional(),
    uptimeSeconds: z.number().optional(),
    checks: z
      .object({
        attio: z.object({
          status: z.string(),
          latencyMs,
          circuit: z.enum(['closed', 'open', 'half-open']),
          problem: z.string().optional(),
        }),
        database: z.object({ status: z.string(), latencyMs }),
        redis: z.object({ status: z.string(), latencyMs }).nullable(),
        inbox: queue,
        outbox: queue,
        mapping: z
          .object({ status: z.string(), problems: z.array(z.string()) })
          .optional()
          .meta({ description: 'Where the configured mapping does not fit the workspace' }),
        changeWebhooks: queue
          .extend({ disabled: z.int() })
          .nullable()
          .meta({ description: 'Changes that are to be pushed, and addresses that are disabled' }),
      })
      .optional(),
  })
  .meta({
    id: 'Health',
    description: 'Without a key: `status` alone',
    examples: [
      {
        status: 'ok',
        version: '0.2.0',
        uptimeSeconds: 3600,
        checks: {
          attio: { status: 'ok', latencyMs: 85, circuit: 'closed' },
          database: { status: 'ok', latencyMs: 1 },
          redis: { status: 'ok', latencyMs: 1 },
          inbox: { pending: 0, oldestAgeSeconds: 0, dead: 0 },
          outbox: { pending: 0, oldestAgeSeconds: 0, dead: 0 },
          changeWebhooks: { pending: 0, oldestAgeSeconds: 0, dead: 0, disabled: 0 },
        },
      },
    ],
  });

const RETRY_SECONDS = 5;

/** How the service is, for those who watch it. */
export function healthRoutes(
  health: Pick<HealthService, 'report' | 'ready'>,
  access: Access,
): FastifyPluginAsyncZod {
  const config = { whileDraining: true };
  return async (app) => {
    app.get(
      '/health',
      {
        config,
        schema: {
          summary: 'How the service is; the details with a key',
          description:
            '503 when it is down: without its database. Attio or Redis out of reach is `degraded`.',
          tags: ['operations'],
          response: { 200: healthSchema, 503: healthSchema, ...problems },
        },
      },
      async (request, reply) => {
        const report = await health.report();
        const body = access.seesDetails(request) ? toJson(report) : { status: report.status };
        if (report.status !== 'down') return reply.send(body);
        return reply.code(503).header('retry-after', RETRY_SECONDS).send(body);
      },
    );

    const alive = z.object({ status: z.literal('ok') });

    app.get(
      '/health/live',
      {
        config,
        schema: {
          summary: '200 while the process runs',
          tags: ['operations'],
          response: { 200: alive, ...problems },
        },
      },
      async () => ({ status: 'ok' as const }),
    );

    app.get(
      '/health/ready',
      {
        config,
        schema: {
          summary: '200 while it makes sense to send requests here',
          tags: ['operations'],
          response: { 200: alive, ...problems },
        },
      },
      async () => {
        const { ready, reason = 'the service is not ready' } = await health.ready();
        if (!ready) throw new ProblemError(notNow('not-ready', reason, RETRY_SECONDS));
        return { status: 'ok' as const };
      },
    );
  };
}

function toJson({ checks, ...report }: HealthReport): z.input<typeof healthSchema> {
  const { mapping, ...others } = checks;
  if (mapping === undefined) return { ...report, checks: others };
  return { ...report, checks: { ...others, mapping: { ...mapping, problems: [...mapping.problems] } } };
}
