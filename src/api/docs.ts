import swagger, { type StaticDocumentSpec } from '@fastify/swagger';
import {
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  fastify,
} from 'fastify';

const PREFIX = '/docs';

/** The page's scripts are files of ours; its pictures and styles are partly in line. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Of the page's server, about its answer; ours makes its own. */
const NOT_OURS = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'];

/**
 * The API's description for persons. What serves it is made when it is asked for first: few ask, and every start would
 * pay for it.
 */
export function docsRoutes(): FastifyPluginAsync {
  return async (app) => {
    let page: Promise<FastifyInstance> | null = null;
    const show = async ({ url, headers }: FastifyRequest, reply: FastifyReply) => {
      page ??= makePage(app);
      const shown = await (await page).inject({ method: 'GET', url, headers });
      if (shown.statusCode === 404) return reply.callNotFound();
      for (const [name, value] of Object.entries(shown.headers)) {
        if (!NOT_OURS.includes(name)) reply.header(name, value);
      }
      return reply.code(shown.statusCode).send(shown.rawPayload);
    };
    for (const path of [PREFIX, `${PREFIX}/*`]) app.get(path, { schema: { hide: true } }, show);
  };
}

async function makePage(app: FastifyInstance): Promise<FastifyInstance> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui');
  const page = fastify();
  const document = app.swagger() as StaticDocumentSpec['document']; // of 3.1, which that type does not know
  await page.register(swagger, { mode: 'static', specification: { document } });
  await page.register(swaggerUi, {
    routePrefix: PREFIX,
    staticCSP: POLICY,
    // No badge of a foreign validator: the page works offline.
    uiConfig: { validatorUrl: null, deepLinking: true },
    theme: { title: 'attio-bridge' },
  });
  await page.ready();
  return page;
}
