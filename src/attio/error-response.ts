import { AttioApiError, type AttioErrorKind } from './errors.ts';
import { retryAfterMs } from './retry-after.ts';
import { type ErrorBody, errorBody } from './types.ts';

/** Attio's codes whose meaning does not depend on the status they come with. */
const KIND_BY_CODE: ReadonlyMap<string, AttioErrorKind> = new Map([
  ['merge_in_progress', 'merge_in_progress'],
  ['value_not_found', 'value_not_found'],
  ['validation_type', 'validation'],
  ['missing_value', 'missing_value'],
  ['filter_error', 'filter_error'],
  ['uniqueness_conflict', 'uniqueness_conflict'],
  ['multiple_match_results', 'multiple_match_results'],
  ['immutable_value', 'immutable_value'],
  ['concurrent_write_conflict', 'concurrent_write_conflict'],
  ['slug_conflict', 'conflict'],
  ['billing_error', 'quota'],
  ['quota_exceeded', 'quota'],
]);

const KIND_BY_STATUS: ReadonlyMap<number, AttioErrorKind> = new Map([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  // A proxy's words, not Attio's: the way to Attio is wrong.
  [407, 'misrouted'],
  [408, 'timeout'],
  [409, 'conflict'],
]);

/** A shorter one is no real key, and taking it out of a text would only garble the text. */
const SHORTEST_KEY = 8;

export interface FailedResponse {
  readonly endpoint: string;
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON body; undefined when it was none. */
  readonly body: unknown;
  readonly receivedAtMs: number;
}

/**
 * What a response that is not 2xx means. A body that is not Attio's (Cloudflare's HTML) is tolerated.
 * @param apiKey is taken out of the words: they may quote the request, and a careless proxy all of it
 */
export function errorFromResponse(response: FailedResponse, apiKey: string): AttioApiError {
  const { endpoint, status, headers } = response;
  const parsed = errorBody.safeParse(response.body);
  const body: ErrorBody = parsed.success ? parsed.data : {};
  const clean = (text: string) => (apiKey.length < SHORTEST_KEY ? text : text.replaceAll(apiKey, '[key]'));
  const issues = (body.validation_errors ?? []).map((issue) => ({
    path: (issue.path ?? []).map((step) => clean(String(step))),
    code: clean(issue.code ?? ''),
    message: clean(issue.message ?? ''),
  }));
  return new AttioApiError(kindOf(status, body), {
    endpoint,
    status,
    code: body.code === undefined || body.code === null ? null : clean(body.code),
    detail: body.message === undefined || body.message === null ? null : clean(body.message),
    validationErrors: issues,
    executionId: headers.get('x-attio-execution-id'),
    retryAfterMs: retryAfterMs(headers, response.receivedAtMs),
  });
}

function kindOf(status: number, body: ErrorBody): AttioErrorKind {
  if (status === 429) return 'rate_limited';
  if (status >= 500) return 'server_error';
  if (status < 200) return 'invalid_response';
  // A redirect: Attio's API sends none, so the base address is not its own.
  if (status < 400) return 'misrouted';
  const byCode = KIND_BY_CODE.get(body.code ?? '');
  if (byCode !== undefined) return byCode;
  return status === 404 ? kindOf404(body) : (KIND_BY_STATUS.get(status) ?? 'bad_request');
}

/** Attio gives an unknown route the code of a missing record; a 404 of anyone else says nothing about a record. */
function kindOf404(body: ErrorBody): AttioErrorKind {
  const isUnknownRoute = body.message?.startsWith('Could not find endpoint') === true;
  return body.code === 'not_found' && !isUnknownRoute ? 'not_found' : 'misrouted';
}
