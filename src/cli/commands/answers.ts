import { z } from 'zod';

/** What the commands read of the service's answers. */
const oneRun = z.looseObject({
  runId: z.string(),
  object: z.string(),
  status: z.enum(['running', 'succeeded', 'failed', 'cancelled']),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  seen: z.number(),
  created: z.number(),
  updated: z.number(),
  unchanged: z.number(),
  deleted: z.number(),
  merged: z.number(),
  error: z.string().optional(),
});
export type OneRun = z.infer<typeof oneRun>;

const run = oneRun.extend({ runs: z.array(oneRun).optional() });
export type Run = z.infer<typeof run>;

const queue = z.object({ pending: z.number(), oldestAgeSeconds: z.number(), dead: z.number() });

export const health = z.object({
  status: z.enum(['ok', 'degraded', 'down']),
  version: z.string(),
  uptimeSeconds: z.number(),
  checks: z.object({
    attio: z.object({
      status: z.string(),
      latencyMs: z.number().nullable(),
      circuit: z.string(),
      problem: z.string().optional(),
    }),
    database: z.object({ status: z.string(), latencyMs: z.number().nullable() }),
    redis: z.object({ status: z.string() }).nullable(),
    inbox: queue,
    outbox: queue,
    mapping: z.object({ problems: z.array(z.string()) }).optional(),
    changeWebhooks: queue.extend({ disabled: z.number() }).nullable(),
  }),
});
export type Health = z.infer<typeof health>;

export const started = z.object({ data: z.object({ runId: z.string(), alreadyRunning: z.boolean() }) });
export const runAnswer = z.object({ data: run });
export const runList = z.object({ data: z.array(run) });
export const records = z.object({ data: z.array(z.unknown()) });

const conflict = z.looseObject({
  id: z.string(),
  object: z.string(),
  entityId: z.string(),
  field: z.string(),
  decided: z.string().nullable(),
  status: z.string(),
  reason: z.string(),
  at: z.string(),
});
export const conflictList = z.object({ data: z.array(conflict), nextCursor: z.string().nullable() });

export const conflictAnswer = z.object({ data: conflict });
export const conflictResolved = z.object({ data: conflict, sync: z.looseObject({ status: z.string() }) });
const changeWebhook = z.looseObject({
  id: z.string(),
  host: z.string(),
  number: z.number().nullable(),
  status: z.enum(['active', 'disabled']),
  pending: z.number(),
  dead: z.number(),
  missed: z.number(),
  lastSuccessAt: z.string().nullable(),
  lastError: z.string().nullable(),
  failingSince: z.string().nullable(),
  disabledReason: z.string().nullable(),
});
export type ChangeWebhook = z.infer<typeof changeWebhook>;
export const changeWebhookList = z.object({ data: z.array(changeWebhook) });
export const changeWebhookAnswer = z.object({ data: changeWebhook });

const letter = z.looseObject({
  id: z.string(),
  kind: z.string(),
  reason: z.string(),
  detail: z.string(),
  eventType: z.string().nullable(),
  attempts: z.number(),
  createdAt: z.string(),
});
export const letterList = z.object({ data: z.array(letter), nextCursor: z.string().nullable() });
export const letterAnswer = z.object({ data: letter });
export const replayed = z.object({ data: z.object({ replayed: z.number(), refused: z.number() }) });
