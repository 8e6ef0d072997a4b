import {
  eachOperation,
  eachSchema,
  isSchema,
  type Operation,
  type Schema,
  type Spec,
  schemaOf,
} from './openapi-spec.ts';

/** One place where Attio is known to differ from its own OpenAPI of February 2026. */
export interface Deviation {
  readonly what: string;
  readonly why: string;
  /** Where FACTS.md says so, with its tag. */
  readonly source: string;
  /** Brings the document in line. */
  apply(spec: Spec): void;
}

function errorSchema(codes: readonly string[]): Schema {
  return {
    type: 'object',
    required: ['status_code', 'type', 'code', 'message'],
    properties: {
      status_code: { type: 'number' },
      type: { type: 'string' },
      code: { type: 'string', enum: [...codes] },
      message: { type: 'string' },
      validation_errors: { type: 'array' },
    },
  };
}

function allow(operation: Operation, status: number, code: string): void {
  const declared = schemaOf(operation.responses[String(status)])?.properties?.['code'];
  if (declared === undefined) {
    operation.responses[String(status)] = {
      content: { 'application/json': { schema: errorSchema([code]) } },
    };
  } else if (declared.enum?.includes(code) === false) {
    declared.enum.push(code);
  }
}

/** Allows an error code on the operations whose name ("GET /v2/...") matches. */
function allowCode(status: number, code: string, where: RegExp): Pick<Deviation, 'apply'> {
  return {
    apply: (spec) =>
      eachOperation(spec, (name, operation) => {
        if (where.test(name)) allow(operation, status, code);
      }),
  };
}

const EVERYWHERE = /./;
const RECORD_WRITES = /^(POST|PUT|PATCH) \/v2\/objects\/\{object\}\/records(\/\{record_id\})?$/;
const ENTRY_WRITES = /^(POST|PUT|PATCH) \/v2\/lists\/\{list\}\/entries(\/\{entry_id\})?$/;
const VALUE_WRITES = new RegExp(`${RECORD_WRITES.source}|${ENTRY_WRITES.source}`);

function addNull(schema: Schema): void {
  const types = [schema.type].flat().filter((type) => type !== undefined);
  if (!types.includes('null')) schema.type = [...types, 'null'];
}

function operationAt(spec: Spec, path: string, method: string): Operation | undefined {
  return spec.paths[path]?.[method];
}

/** The one list of allowed differences. What is not here is an error. */
export const DEVIATIONS: readonly Deviation[] = [
  {
    what: 'Timestamp values are full instants.',
    why: 'The document types them `format: date`.',
    source: '§4 "Spec bug" [C hbmartin openapi-ts.config, S10 overlay]',
    apply: (spec) =>
      eachSchema(spec, (schema) => {
        const { attribute_type: type, value } = schema.properties ?? {};
        if (type?.enum?.includes('timestamp') === true && value !== undefined) value['format'] = 'date-time';
      }),
  },
  {
    what: 'Actor ids and types may be null.',
    why: 'The document says `nullable: true`, which OpenAPI 3.1 does not know.',
    source: '§4 Values: created_by_actor{type, id|null} [S2/S8, L]',
    apply: (spec) =>
      eachSchema(spec, (schema) => {
        if (schema['nullable'] === true) addNull(schema);
      }),
  },
  {
    what: 'Enumerated members that allow null by their type may be null.',
    why: 'Their `enum` leaves null out, so nothing could be null.',
    source: '§6 "config.currency.default_currency_code is null on non-currency attributes live" [L]',
    apply: (spec) =>
      eachSchema(spec, (schema) => {
        const nullable = Array.isArray(schema.type) && schema.type.includes('null');
        if (nullable && schema.enum !== undefined && !schema.enum.includes(null)) schema.enum.push(null);
      }),
  },
  {
    what: 'comment.resolved_by is null while unresolved.',
    why: 'The document has no null there, though it has one in resolved_at.',
    source: 'source list, [L]: the recorded comment create and get',
    apply: (spec) => {
      const resolvedBy = spec.components.schemas['comment']?.properties?.['resolved_by'];
      if (resolvedBy !== undefined) addNull(resolvedBy);
    },
  },
  {
    what: 'Every error has status_code.',
    why: 'The document spells it statusCode for the 400 of POST /v2/comments.',
    source: '§2 "Error body {status_code,type,code,message}"',
    apply: (spec) =>
      eachSchema(spec, (schema) => {
        const spelt = schema.properties?.['statusCode'];
        if (spelt === undefined || schema.properties === undefined) return;
        schema.properties['status_code'] = spelt;
        delete schema.properties['statusCode'];
        schema['required'] = ['status_code', 'type', 'code', 'message'];
      }),
  },
  {
    what: 'Written values need not be arrays.',
    why: 'The schema wants arrays; its own prose, the docs and live clients have bare values for single-value attributes.',
    source: '§4 last line [S2][D25]',
    apply: (spec) =>
      eachOperation(spec, (name, operation) => {
        if (!VALUE_WRITES.test(name)) return;
        const fields = schemaOf(operation.requestBody)?.properties?.['data']?.properties ?? {};
        for (const key of ['values', 'entry_values']) {
          if (fields[key] !== undefined) fields[key]['additionalProperties'] = true;
        }
      }),
  },
  {
    what: 'Tasks can be sorted by completed_at.',
    why: 'Later than the document.',
    source: '§6 Task read [S8]',
    apply: (spec) => {
      const sort = operationAt(spec, '/v2/tasks', 'get')?.parameters?.find((one) => one.name === 'sort');
      sort?.schema.enum?.push('completed_at:asc', 'completed_at:desc');
    },
  },
  {
    what: 'PATCH /v2/notes/{note_id}',
    why: 'Later than the document.',
    source: '§6 Notes, §11 [S10]',
    apply: (spec) => {
      const note = spec.paths['/v2/notes/{note_id}'];
      if (note?.['get'] === undefined) return;
      note['patch'] = {
        ...structuredClone(note['get']),
        requestBody: bodyOf({ title: {}, content: {} }, []),
      };
    },
  },
  {
    what: 'POST /v2/objects/{object}/records/merge',
    why: 'Later than the document; its answer is taken to be the new record.',
    source: '§4 merge, §11 [S8][S10]',
    apply: (spec) => {
      const create = operationAt(spec, '/v2/objects/{object}/records', 'post');
      if (create === undefined) return;
      const fields = { primary_record_id: {}, secondary_record_id: {} };
      const merge = { ...structuredClone(create), requestBody: bodyOf(fields, Object.keys(fields)) };
      allow(merge, 400, 'self_merge');
      allow(merge, 404, 'value_not_found');
      spec.paths['/v2/objects/{object}/records/merge'] = { post: merge };
    },
  },
  {
    what: '401 unauthorized on every endpoint but /self.',
    why: 'The document declares no 401.',
    source: '§1 "Bad token on other endpoints" [W6], §2 types',
    ...allowCode(401, 'unauthorized', /^\w+ \/v2\/(?!self)/),
  },
  {
    what: '403 unauthorized on every endpoint but /self, when the token lacks a scope.',
    why: 'The document declares the scopes, and no answer for one that is lacking.',
    source: '§1 "Scopes (all listed are required)", §2 unauthorized [S10]; the words are ours',
    ...allowCode(403, 'unauthorized', /^\w+ \/v2\/(?!self)/),
  },
  {
    what: '400 missing_value on /self without a token.',
    why: 'The document declares only 200 there.',
    source: '§1 [W6]',
    ...allowCode(400, 'missing_value', /^GET \/v2\/self$/),
  },
  {
    what: '429 rate_limit_exceeded on every endpoint.',
    why: 'The document declares no 429.',
    source: '§3 [D26]',
    ...allowCode(429, 'rate_limit_exceeded', EVERYWHERE),
  },
  {
    what: '400 validation_type wherever there is a body or a parameter.',
    why: 'The document declares it for a few operations; every schema failure is one.',
    source: '§2 "validation_type: body/param shape, bad value" [C itsjustanks#4, kesslerio#632]',
    ...allowCode(400, 'validation_type', EVERYWHERE),
  },
  {
    what: '404 not_found on every operation below something.',
    why: 'The document leaves it out of some lists below an object or record.',
    source: '§2 "not_found: nearly all by-id ops"',
    ...allowCode(404, 'not_found', /\{/),
  },
  {
    what: '400 value_not_found on every write of values.',
    why: 'The document declares it on creating and upserting records and on creating entries.',
    source: '§2 "value_not_found: unknown select/status option, missing referenced record"',
    ...allowCode(400, 'value_not_found', VALUE_WRITES),
  },
  {
    what: '400 value_not_found for an unknown task assignee or linked record.',
    why: 'The document has only validation_type there.',
    source: '§2 "value_not_found: missing referenced record"',
    ...allowCode(400, 'value_not_found', /^(POST|PATCH) \/v2\/tasks/),
  },
  {
    what: '400 missing_value on every write of values.',
    why: 'The document declares it on updates of records only.',
    source: '§2 "missing_value: required attribute absent"',
    ...allowCode(400, 'missing_value', VALUE_WRITES),
  },
  {
    what: '400 uniqueness_conflict on record writes.',
    why: 'The document does not have the code.',
    source: '§2 "NOT in spec; live message" [C]',
    ...allowCode(400, 'uniqueness_conflict', RECORD_WRITES),
  },
  {
    what: '409 uniqueness_conflict on creating and updating webhooks.',
    why: 'Later than the document.',
    source: '§2 "409 on webhook create/update" [S10]',
    ...allowCode(409, 'uniqueness_conflict', /^(POST|PATCH) \/v2\/webhooks/),
  },
  {
    what: '409 concurrent_write_conflict on record writes.',
    why: 'Later than the document.',
    source: '§2 "from Oct 2026"',
    ...allowCode(409, 'concurrent_write_conflict', RECORD_WRITES),
  },
  {
    what: '400 for a matching attribute that is not unique has a code of its own.',
    why: 'The document has value_not_found only; the name of the code is from a live probe of 2026-10-04.',
    source: '§4 "attribute must be unique" [S2]; §2 "Unknown codes must be tolerated"',
    ...allowCode(400, 'matching_attribute_definition_not_unique', /^PUT \/v2\/objects\/\{object\}\/records$/),
  },
  {
    what: '400 filter_error on querying entries.',
    why: 'The document declares it for records only.',
    source: '§2 "entries query does not declare it"',
    ...allowCode(400, 'filter_error', /^POST \/v2\/lists\/\{list\}\/entries\/query$/),
  },
  {
    what: '413 validation_type on notes.',
    why: 'Later than the document.',
    source: '§2 "413 on oversized note create/update", §11 [S8]',
    ...allowCode(413, 'validation_type', /^(POST|PATCH) \/v2\/notes/),
  },
];

function bodyOf(
  fields: Record<string, Schema>,
  required: readonly string[],
): NonNullable<Operation['requestBody']> {
  const properties = Object.fromEntries(Object.keys(fields).map((name) => [name, { type: 'string' }]));
  const data: Schema = { type: 'object', properties, required: [...required] };
  return {
    content: { 'application/json': { schema: { type: 'object', properties: { data }, required: ['data'] } } },
  };
}

/** The document as Attio behaves. */
export function withDeviations(document: unknown): Spec {
  if (!isSchema(document) || !isSchema(document['paths'])) throw new Error('not an OpenAPI document');
  const spec = structuredClone(document) as unknown as Spec;
  for (const deviation of DEVIATIONS) deviation.apply(spec);
  return spec;
}
