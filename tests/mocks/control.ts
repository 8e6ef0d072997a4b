import { z } from 'zod';
import { AttioError } from './core/errors.ts';
import type { PlainRequest, PlainResponse } from './core/exchange.ts';
import { checkedFaultSchema } from './faults.ts';
import { splitUrl } from './pipeline.ts';
import type { Sandbox } from './sandbox.ts';

const actor = z
  .union([
    z.string(),
    z.strictObject({
      type: z.enum(['api-token', 'workspace-member', 'system', 'app']).optional(),
      id: z.string().nullable().optional(),
    }),
  ])
  .optional();
const values = z.record(z.string(), z.unknown());
const text = z.string().min(1);

interface ControlCall<Body> {
  readonly sandbox: Sandbox;
  readonly body: Body;
  readonly query: URLSearchParams;
}

interface ControlRoute {
  readonly name: string;
  run(sandbox: Sandbox, body: unknown, query: URLSearchParams): unknown;
}

function control<Body extends z.ZodType = z.ZodUnknown>(
  name: string,
  handle: (call: ControlCall<z.output<Body>>) => unknown,
  schema?: Body,
): ControlRoute {
  return {
    name,
    run: (sandbox, body, query) => {
      const checked = (schema === undefined ? body : schema.parse(body)) as z.output<Body>;
      return handle({ sandbox, body: checked, query });
    },
  };
}

const place = { object: text, recordId: text, actor };

const ROUTES: readonly ControlRoute[] = [
  control('POST /faults', ({ sandbox, body }) => sandbox.addFault(body), checkedFaultSchema),
  control('GET /faults', ({ sandbox }) => sandbox.faults()),
  control('DELETE /faults', ({ sandbox }) => sandbox.clearFaults()),
  control('GET /requests', ({ sandbox, query }) => sandbox.requests(query.get('since') ?? undefined)),
  control('DELETE /requests', ({ sandbox }) => sandbox.clearRequests()),
  control('POST /reset', ({ sandbox }) => sandbox.reset()),
  control('POST /edit', ({ sandbox, body }) => sandbox.edit(body), z.strictObject({ ...place, values })),
  control(
    'POST /create',
    ({ sandbox, body }) => sandbox.createRecord(body),
    z.strictObject({ object: text, values, actor }),
  ),
  control('POST /delete', ({ sandbox, body }) => sandbox.deleteRecord(body), z.strictObject(place)),
  control(
    'POST /merge',
    ({ sandbox, body }) => sandbox.merge(body),
    z.strictObject({
      object: text,
      primaryRecordId: text,
      secondaryRecordId: text,
      survivor: z.enum(['new', 'primary']).optional(),
      actor,
    }),
  ),
  control(
    'POST /act',
    ({ sandbox, body }) => sandbox.act(body),
    z.strictObject({ method: text, path: text, body: z.unknown().optional(), actor }),
  ),
  control(
    'POST /resolve',
    ({ sandbox, body }) => sandbox.resolveThread(body.threadId, body.resolved, body.actor),
    z.strictObject({ threadId: text, resolved: z.boolean().default(true), actor }),
  ),
  control(
    'POST /tokens',
    ({ sandbox, body }) => sandbox.setToken(body.token, body.active, body.scopes),
    z.strictObject({ token: text, active: z.boolean(), scopes: z.array(text).optional() }),
  ),
  control('GET /state', ({ sandbox }) => sandbox.summary()),
  control('GET /webhooks/deliveries', ({ sandbox }) => sandbox.deliveries()),
  control('GET /settled', ({ sandbox }) => sandbox.settled()),
];

const BY_NAME = new Map(ROUTES.map((one) => [one.name, one]));

function reply(status: number, body: unknown): PlainResponse {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
  };
}

function problem(error: unknown): PlainResponse {
  if (error instanceof z.ZodError) {
    const issues = error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
    return reply(400, { error: `Bad request: ${issues.join('; ')}`, issues: error.issues });
  }
  if (error instanceof AttioError) return reply(error.status, { error: error.message, code: error.code });
  if (error instanceof SyntaxError) return reply(400, { error: 'Bad request: the body is not valid JSON.' });
  throw error;
}

/** `/_sandbox`: never asked for a token, never limited, never faulty, not in the request log. */
export async function handleControl(sandbox: Sandbox, request: PlainRequest): Promise<PlainResponse> {
  const { path, query } = splitUrl(request.url);
  const name = `${request.method} ${path.slice('/_sandbox'.length)}`;
  const route = BY_NAME.get(name);
  if (route === undefined) {
    return reply(404, { error: `No such route: ${name}. There are: ${[...BY_NAME.keys()].join(', ')}.` });
  }
  try {
    const body: unknown = request.body === '' ? {} : JSON.parse(request.body);
    return reply(200, (await route.run(sandbox, body, query)) ?? { ok: true });
  } catch (error) {
    return problem(error);
  }
}
