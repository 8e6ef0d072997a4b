/**
 * What never reaches a log: secrets, and what persons' records say. Decided by the names of members, wherever they
 * are: a new place that logs something needs no new rule.
 */
export const REDACTED = '[redacted]';

/** Compared in lower case, without `-` and `_`: `X-Api-Key`, `apiKey` and `api_key` are one name. */
const SENSITIVE_NAMES = new Set([
  'attributes',
  'bearer',
  'body',
  'bodybase64',
  'content',
  'data',
  'facts',
  'firstname',
  'fullname',
  'headers',
  'jobtitle',
  'lastname',
  'name',
  'payload',
  'plaintext',
  'query',
  'raw',
  'rawbody',
  'title',
  'value',
  'values',
]);

const SENSITIVE_ENDINGS =
  /(authorization|cookie|signature|token|secret|password|apikey|email|phone)(address(es)?|numbers?|s)?$/;

/** Deeper members are not worth a log line, and may be a circle. */
const MAX_DEPTH = 6;
/** Members of errors that say what kind of error it is. */
const TOLD = new Set(['kind', 'code', 'executionId']);
/** Causes of causes of errors. */
const MAX_CAUSES = 5;

/** A copy for the log: sensitive members replaced at every depth, errors reduced to what is safe to tell. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Error) return serializeError(value);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return redactMembers(value, depth);
}

/** The members of a log line; those that a serializer renders are left to it. */
export function redactLine(line: Record<string, unknown>): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const name of Object.keys(line)) {
    const value = line[name];
    safe[name] = name === 'req' || name === 'res' || name === 'err' ? value : redactMember(name, value, 0);
  }
  return safe;
}

function redactMembers(value: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, redactMember(name, member, depth)]),
  );
}

function redactMember(name: string, value: unknown, depth: number): unknown {
  if (value === null || value === undefined) return value;
  return isSensitive(name) ? REDACTED : redact(value, depth + 1);
}

/** Names as the code spells them: there are few, and each is judged once. Bounded, because data may bring any. */
const judged = new Map<string, boolean>();
const MAX_JUDGED = 1_000;

function isSensitive(name: string): boolean {
  const known = judged.get(name);
  if (known !== undefined) return known;
  const verdict = judge(name);
  if (judged.size < MAX_JUDGED) judged.set(name, verdict);
  return verdict;
}

function judge(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_]/g, '');
  return SENSITIVE_NAMES.has(plain) || SENSITIVE_ENDINGS.test(plain);
}

/**
 * An error as the log shows it: what it is and where it came from. Other members are left out, since libraries hang
 * requests, statements and parameters on their errors.
 */
export function serializeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return redact(error);
  const members: Record<string, unknown> = { name: error.name, message: error.message };
  for (const [name, value] of Object.entries(error)) {
    if (TOLD.has(name) && (typeof value === 'string' || typeof value === 'number')) members[name] = value;
  }
  members['stack'] = error.stack;
  if (error.cause !== undefined && depth < MAX_CAUSES) {
    members['cause'] =
      error.cause instanceof Error ? serializeError(error.cause, depth + 1) : typeof error.cause;
  }
  return members;
}
