import type { FastifyPluginAsync } from 'fastify';
import type { Access } from './auth.ts';
import type { HttpDeps } from './deps.ts';
import { addIdempotency } from './idempotency.ts';
import type { IdempotencyGate } from './idempotency-gate.ts';
import { addJsonBodies, checkQuery } from './input.ts';
import { type MethodTable, notFoundHandler } from './methods.ts';
import { batchesRoutes } from './routes/batches.ts';
import { changeWebhooksRoutes } from './routes/change-webhooks.ts';
import { changesRoutes } from './routes/changes.ts';
import { commentsRoutes } from './routes/comments.ts';
import { companiesRoutes } from './routes/companies.ts';
import { conflictsRoutes } from './routes/conflicts.ts';
import { contactsRoutes } from './routes/contacts.ts';
import { deadLettersRoutes } from './routes/dead-letters.ts';
import { dealsRoutes } from './routes/deals.ts';
import { notesRoutes } from './routes/notes.ts';
import { objectsRoutes } from './routes/objects.ts';
import { pipelinesRoutes } from './routes/pipelines.ts';
import { recordsRoutes } from './routes/records.ts';
import { syncRoutes } from './routes/sync.ts';
import { tasksRoutes } from './routes/tasks.ts';

/** What internal systems call: behind a key, whatever the path. */
export function v1Routes(
  services: HttpDeps['services'],
  context: {
    access: Access;
    methods: MethodTable;
    gate: IdempotencyGate;
    mapping: HttpDeps['mapping'];
    ending: AbortSignal;
  },
): FastifyPluginAsync {
  const { access, methods, gate, mapping, ending } = context;
  return async (app) => {
    app.addHook('onRequest', access.guardApi);
    app.addHook('preValidation', checkQuery);
    addIdempotency(app, { access, gate, ending });
    app.setNotFoundHandler(notFoundHandler(methods));
    addJsonBodies(app);
    await app.register(contactsRoutes(services.contacts, mapping.people, ending));
    await app.register(batchesRoutes(services.contacts, services.batches, mapping.people));
    await app.register(companiesRoutes(services.companies, mapping.companies, ending));
    await app.register(dealsRoutes(services.deals, mapping.deals, ending));
    await app.register(pipelinesRoutes(services.pipelines, ending));
    await app.register(notesRoutes(services.activity, ending));
    await app.register(tasksRoutes(services.activity, ending));
    await app.register(commentsRoutes(services.activity, ending));
    await app.register(conflictsRoutes(services.conflicts, ending));
    await app.register(recordsRoutes(services.records));
    await app.register(objectsRoutes(services.schema));
    await app.register(syncRoutes(services.sync, ending));
    await app.register(changesRoutes(services.changes, ending));
    await app.register(changeWebhooksRoutes(services.changeWebhooks));
    await app.register(deadLettersRoutes(services.deadLetters));
  };
}
