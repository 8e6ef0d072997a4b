import type { z } from 'zod';

export interface ValidationIssue {
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly expected?: string;
  readonly received?: string;
}

/** An answer in Attio's error envelope. */
export class AttioError extends Error {
  override readonly name = 'AttioError';
  readonly status: number;
  readonly type: string;
  readonly code: string;
  readonly issues: readonly ValidationIssue[] | null;

  constructor(
    status: number,
    code: string,
    message: string,
    issues: readonly ValidationIssue[] | null = null,
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.type = errorType(status);
    this.issues = issues;
  }

  body(): Record<string, unknown> {
    return {
      status_code: this.status,
      type: this.type,
      code: this.code,
      message: this.message,
      ...(this.issues === null ? {} : { validation_errors: this.issues }),
    };
  }
}

function errorType(status: number): string {
  if (status === 401 || status === 403) return 'auth_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'api_error' : 'invalid_request_error';
}

export const notFound = (message: string) => new AttioError(404, 'not_found', message);
export const valueNotFound = (message: string) => new AttioError(400, 'value_not_found', message);
export const invalid = (message: string, issues?: readonly ValidationIssue[]) =>
  new AttioError(400, 'validation_type', message, issues ?? null);
export const missingValue = (message: string) => new AttioError(400, 'missing_value', message);
export const filterError = (message: string) =>
  new AttioError(400, 'filter_error', `Error in filter. ${message}`);

export const objectNotFound = (ref: string) => notFound(`Object with slug/ID "${ref}" not found.`);
export const listNotFound = (ref: string) => notFound(`List with slug/ID "${ref}" not found.`);
export const attributeNotFound = (ref: string) => notFound(`Attribute with slug/ID "${ref}" not found.`);
export const recordNotFound = (id: string) => notFound(`Record with ID "${id}" not found.`);

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let at: unknown = input;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Record<PropertyKey, unknown>)[key];
  }
  return at;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function toIssue(issue: z.core.$ZodIssue, input: unknown): ValidationIssue {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  const found = valueAt(input, issue.path);
  if (issue.code === 'invalid_type') {
    const message = found === undefined ? 'Required' : issue.message;
    return { code: issue.code, path, message, expected: issue.expected, received: typeName(found) };
  }
  return { code: issue.code === 'invalid_union' ? 'invalid' : issue.code, path, message: issue.message };
}

/** Attio's own words for a body or a query string that fails its schema. */
export function schemaError(
  where: 'Body payload' | 'Query params',
  error: z.ZodError,
  input: unknown,
): AttioError {
  return invalid(
    `${where} validation error.`,
    error.issues.map((issue) => toIssue(issue, input)),
  );
}
