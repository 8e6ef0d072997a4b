import type { FastifyPluginAsync } from 'fastify';
import type { Access } from './auth.ts';
import { docsRoutes } from './docs.ts';

/** The metrics as text. */
export interface MetricsText {
  /** Media type of the text. */
  readonly contentType: string;
  text(): Promise<string>;
}

/** Metrics, and the API's description for machines and persons. */
export function operationsRoutes(metrics: MetricsText, access: Access): FastifyPluginAsync {
  return async (app) => {
    app.addHook('onRequest', access.guardOperations);

    app.get(
      '/metrics',
      { config: { whileDraining: true }, schema: { hide: true } },
      async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
    );

    app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());

    await app.register(docsRoutes());
  };
}
