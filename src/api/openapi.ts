import swagger, { type SwaggerTransform, type SwaggerTransformObject } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { isJsonObject } from '../domain/json.ts';
import { IDEMPOTENCY_HEADERS, WRITING_METHODS } from './idempotency.ts';
import { noBody } from './schemas.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** JSON schema of a body that its zod schema does not describe, or that has none because its bytes matter. */
    readonly openapiBody?: object;
  }
}

const TAGS = [
  { name: 'contacts', description: 'People: read from the local database, written there and to Attio' },
  { name: 'companies', description: 'Companies: read from the local database, written there and to Attio' },
  { name: 'deals', description: 'Deals: read from the local database, written there and to Attio' },
  { name: 'pipelines', description: 'Entries of lists, and deals, by stage' },
  { name: 'activity', description: 'Notes, tasks and comments' },
  { name: 'conflicts', description: 'Fields that were changed here and in Attio at once' },
  { name: 'changes', description: 'What happened, in order' },
  { name: 'records', description: "Attio's records, through the cache" },
  { name: 'objects', description: "The workspace's schema, through the cache" },
  { name: 'sync', description: 'Full syncs' },
  { name: 'dead letters', description: 'Work that was given up' },
  { name: 'webhooks', description: 'For Attio' },
  { name: 'operations', description: 'For those who run the service' },
];

/** Describes every route that is registered after it, from the very schemas that check requests. */
export function addOpenApi(app: FastifyInstance, version: string): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'attio-bridge',
        version,
        description: 'Between a company’s systems and its Attio workspace. Errors are RFC 9457 problems.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      tags: TAGS,
      components: {
        securitySchemes: {
          serviceKey: { type: 'http', scheme: 'bearer', description: 'One of SERVICE_API_KEYS' },
        },
      },
    },
    transform,
    transformObject,
  });
}

const transform: SwaggerTransform = (route) => {
  const { body, ...rest } = route.schema ?? {};
  // A body that must be left out is not a body to describe.
  const described = jsonSchemaTransform({ ...route, schema: body === noBody ? rest : route.schema });
  const rawBody = route.route.config?.openapiBody;
  const isV1 = route.url.startsWith('/v1/');
  const writes = [route.route.method].flat().some((method) => WRITING_METHODS.includes(method));
  return {
    url: described.url,
    schema: {
      ...described.schema,
      security: isV1 ? [{ serviceKey: [] }] : [],
      ...(rawBody === undefined ? {} : { body: rawBody }),
      ...(isV1 && writes ? { headers: IDEMPOTENCY_HEADERS } : {}),
    },
  };
};

const transformObject: SwaggerTransformObject = (document) => {
  const described = jsonSchemaTransformObject(document);
  return tidy(JSON.parse(JSON.stringify(described))) as typeof described; // the same document, with less in it
};

/** Leaves out what nobody refers to, and bounds that only say "whole number". */
function tidy(document: unknown): unknown {
  const text = JSON.stringify(document);
  const used = new Set(text.match(/(?<="#\/components\/schemas\/)[^"]+/g));
  const tidied: unknown = JSON.parse(text, (name, value: unknown) => {
    if ((name === 'minimum' || name === 'maximum') && Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER)
      return undefined;
    if (name !== 'schemas' || !isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).filter(([id]) => used.has(id)));
  });
  // What was left out may have been the last to refer to something.
  return JSON.stringify(tidied) === text ? tidied : tidy(tidied);
}
