import swaggerUi from '@fastify/swagger-ui';
import type { FastifyPluginAsync } from 'fastify';
import type { Access } from './auth.ts';

/** The metrics as text. */
export interface MetricsText {
  /** Media type of the text. */
  readonly contentType: string;
  text(): Promise<string>;
}

/** The page's scripts are files of ours; its pictures and styles are partly in line. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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

    await app.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: DOCS_POLICY,
      // No badge of a foreign validator: the page works offline.
      uiConfig: { validatorUrl: null, deepLinking: true },
      theme: { title: 'attio-bridge' },
    });
  };
}
