import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { JsonObject } from '../../domain/json.ts';
import { cursorOf, encodeCursor } from '../cursor.ts';
import { limit, listOf, objectSlug, pageOf, problems, shownObject } from '../schemas.ts';

/** What this route needs of the schema service. */
export interface Definitions {
  objects(): Promise<readonly JsonObject[]>;
  attributes(object: string): Promise<readonly JsonObject[]>;
}

const OBJECTS = 'objects';

const attioObject = shownObject.meta({ id: 'AttioObject', description: 'An object, as Attio answers it' });
const attioAttribute = shownObject.meta({
  id: 'AttioAttribute',
  description: 'An attribute, as Attio answers it',
});

/** The workspace's schema, through the cache. */
export function objectsRoutes(schema: Definitions): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      '/objects',
      {
        schema: {
          summary: "The workspace's objects",
          tags: ['objects'],
          querystring: z.strictObject({ limit, cursor: cursorOf(OBJECTS, 'number').optional() }),
          response: { 200: listOf(attioObject), ...problems },
        },
      },
      async (request) => {
        const page = pageOf(await schema.objects(), request.query.cursor ?? 0, request.query.limit);
        return { data: page.rows, nextCursor: page.next === null ? null : encodeCursor(OBJECTS, page.next) };
      },
    );

    app.get(
      '/objects/:object/attributes',
      {
        schema: {
          summary: "An object's attributes",
          tags: ['objects'],
          params: z.strictObject({ object: objectSlug }),
          querystring: z.strictObject({ limit, cursor: cursorOf('attributes', 'number').optional() }),
          response: { 200: listOf(attioAttribute), ...problems },
        },
      },
      async (request) => {
        const all = await schema.attributes(request.params.object);
        const page = pageOf(all, request.query.cursor ?? 0, request.query.limit);
        return {
          data: page.rows,
          nextCursor: page.next === null ? null : encodeCursor('attributes', page.next),
        };
      },
    );
  };
}
