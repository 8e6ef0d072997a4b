import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTestServer } from './support.ts';

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly object[];
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required?: boolean;
  }[];
  readonly requestBody?: { content: Record<string, { schema: object }> };
  readonly responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

interface Document {
  readonly openapi: string;
  readonly info: { version: string };
  readonly tags: readonly { name: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    schemas: Record<string, { examples?: unknown[] }>;
    securitySchemes: Record<string, unknown>;
  };
}

let document: Document;

beforeAll(async () => {
  document = (await createTestServer().app.inject('/openapi.json')).json();
});

function operations(): [string, Operation][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );
}

describe('the description of the API', () => {
  it('is OpenAPI 3.1 of this version', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(document.info.version).toBe('1.2.3');
  });

  it('has every route for programs', () => {
    expect(operations().map(([name]) => name)).toEqual([
      'GET /health',
      'GET /health/live',
      'GET /health/ready',
      'POST /webhooks',
      'PUT /v1/contacts',
      'GET /v1/contacts',
      'GET /v1/contacts/{id}',
      'DELETE /v1/contacts/{id}',
      'POST /v1/contacts/{id}/restore',
      'POST /v1/contacts/batch',
      'GET /v1/batches/{id}',
      'PUT /v1/companies',
      'GET /v1/companies',
      'GET /v1/companies/{id}',
      'POST /v1/companies/{id}/restore',
      'PUT /v1/deals',
      'GET /v1/deals',
      'GET /v1/deals/{id}',
      'PATCH /v1/deals/{id}',
      'POST /v1/pipelines/{list}/entries',
      'GET /v1/pipelines/{list}/entries',
      'PATCH /v1/pipelines/{list}/entries/{entryId}',
      'GET /v1/pipelines/{list}/entries/{entryId}',
      'GET /v1/pipelines/{list}',
      'POST /v1/notes',
      'GET /v1/notes',
      'GET /v1/notes/{id}',
      'POST /v1/tasks',
      'GET /v1/tasks',
      'PATCH /v1/tasks/{id}',
      'GET /v1/tasks/{id}',
      'POST /v1/comments',
      'GET /v1/comments',
      'GET /v1/comments/{id}',
      'GET /v1/conflicts',
      'GET /v1/conflicts/{id}',
      'POST /v1/conflicts/{id}/resolve',
      'GET /v1/records/{object}/{recordId}',
      'POST /v1/records/{object}/query',
      'GET /v1/objects',
      'GET /v1/objects/{object}/attributes',
      'POST /v1/sync/all',
      'POST /v1/sync/{object}',
      'POST /v1/sync/lists/{list}',
      'GET /v1/sync/runs',
      'GET /v1/sync/runs/{runId}',
      'DELETE /v1/sync/runs/{runId}',
      'GET /v1/changes',
      'GET /v1/change-webhooks',
      'POST /v1/change-webhooks/{id}/enable',
      'GET /v1/dead-letters',
      'POST /v1/dead-letters/{id}/replay',
      'POST /v1/dead-letters/replay',
    ]);
  });

  it('says of every route what it is for, who may call it and how it fails', () => {
    const tags = document.tags.map((tag) => tag.name);
    expect(document.components.securitySchemes['serviceKey']).toMatchObject({
      type: 'http',
      scheme: 'bearer',
    });
    for (const [name, operation] of operations()) {
      expect(operation.summary, name).toMatch(/\w/);
      expect(tags, name).toContain(operation.tags?.[0]);
      expect(operation.security, name).toEqual(name.includes('/v1/') ? [{ serviceKey: [] }] : []);
      expect(operation.responses['default']?.content, name).toEqual({
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
      });
    }
  });

  it('describes a body where one is taken, and only there', () => {
    const taking = operations().filter(([, operation]) => operation.requestBody !== undefined);
    expect(taking.map(([name]) => name)).toEqual([
      'POST /webhooks',
      'PUT /v1/contacts',
      'POST /v1/contacts/batch',
      'PUT /v1/companies',
      'PUT /v1/deals',
      'PATCH /v1/deals/{id}',
      'POST /v1/pipelines/{list}/entries',
      'PATCH /v1/pipelines/{list}/entries/{entryId}',
      'POST /v1/notes',
      'POST /v1/tasks',
      'PATCH /v1/tasks/{id}',
      'POST /v1/comments',
      'POST /v1/conflicts/{id}/resolve',
      'POST /v1/records/{object}/query',
    ]);
  });

  it('names the idempotency key where one is taken, and only there', () => {
    const taking = operations().filter(([, { parameters = [] }]) =>
      parameters.some((parameter) => parameter.in === 'header' && parameter.name === 'idempotency-key'),
    );
    const writing = operations().filter(([name]) => name.includes('/v1/') && !name.startsWith('GET '));
    expect(taking.map(([name]) => name)).toEqual(writing.map(([name]) => name));
    expect(taking.length).toBeGreaterThan(8);
  });

  it('has schemas that are valid, and examples that fit them', () => {
    // `example` is OpenAPI's own word.
    const ajv = addFormats.default(new Ajv2020({ strict: true, keywords: ['example', 'components'] }));
    ajv.addSchema({ $id: 'https://x.test/openapi', components: document.components });
    const withExamples = Object.entries(document.components.schemas).filter(([, schema]) => schema.examples);
    expect(withExamples.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        ...['Problem', 'Health', 'Contact', 'Company', 'SyncRun', 'Change', 'DeadLetter'],
        ...[
          'Deal',
          'PutDealInput',
          'PatchDealInput',
          'PutContactInput',
          'PutCompanyInput',
          'SyncState',
          'BatchReceipt',
          'Batch',
          'Conflict',
        ],
      ]),
    );
    for (const [name, { examples = [] }] of withExamples) {
      const validate = ajv.compile({ $ref: `https://x.test/openapi#/components/schemas/${name}` });
      for (const example of examples)
        expect(validate(example), `${name}: ${ajv.errorsText(validate.errors)}`).toBe(true);
    }
    for (const [name, operation] of operations()) {
      const contents = [operation.requestBody, ...Object.values(operation.responses)];
      for (const { schema } of contents.flatMap((part) => Object.values(part?.content ?? {}))) {
        const resolvable = JSON.parse(
          JSON.stringify(schema).replaceAll('"#/components', '"https://x.test/openapi#/components'),
        );
        expect(() => ajv.compile(resolvable), name).not.toThrow();
      }
    }
  });

  it('has no component that nothing refers to', () => {
    const text = JSON.stringify(document);
    for (const name of Object.keys(document.components.schemas)) {
      expect(text).toContain(`"#/components/schemas/${name}"`);
    }
  });
});
