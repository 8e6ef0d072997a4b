/** The parts of an OpenAPI document that the validator and its deviations touch. */
export interface Schema {
  [key: string]: unknown;
  type?: string | string[];
  enum?: unknown[];
  properties?: Record<string, Schema>;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  schema: Schema;
}

interface Content {
  readonly content?: { readonly 'application/json'?: { schema: Schema } };
}

export interface Operation {
  readonly parameters?: Parameter[];
  readonly requestBody?: Content;
  readonly responses: Record<string, Content>;
}

export interface Spec {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every object in the document, outermost first. */
export function eachSchema(value: unknown, visit: (schema: Schema) => void): void {
  if (Array.isArray(value)) {
    for (const one of value) eachSchema(one, visit);
  } else if (isSchema(value)) {
    visit(value);
    for (const one of Object.values(value)) eachSchema(one, visit);
  }
}

export function eachOperation(spec: Spec, visit: (name: string, operation: Operation) => void): void {
  for (const [path, operations] of Object.entries(spec.paths)) {
    for (const [method, operation] of Object.entries(operations))
      visit(`${method.toUpperCase()} ${path}`, operation);
  }
}

export function schemaOf(content: Content | undefined): Schema | undefined {
  return content?.content?.['application/json']?.schema;
}
