import { startSandboxServer } from '../../mocks/http-server.ts';
import type { Sandbox } from '../../mocks/sandbox.ts';
import { freshDatabase, type TestDatabase } from '../../support/engines.ts';
import type { PrivatePostgres } from '../../support/private-postgres.ts';
import type { PrivateRedis } from '../../support/private-redis.ts';
import { API_KEY, freePort, until } from '../../support/service.ts';
import { Instance } from './instance.ts';

export const PEOPLE = 200;
export const SECRET = 'the-secret-of-the-drill';
export const AUTHORIZED = { authorization: `Bearer ${API_KEY}` };

/** Of the drill's own. `postgres`: null where there can be none, and one is shared with others. */
export interface Servers {
  readonly postgres: PrivatePostgres | null;
  readonly redis: PrivateRedis;
}

/** What one run is played on. */
export interface Stage extends Servers {
  readonly sandbox: Sandbox;
  readonly database: TestDatabase;
  readonly instances: readonly Instance[];
  /** Asks Attio, which neither limits nor counts that. */
  attio<T>(method: string, path: string, body?: unknown): T;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function setStage(servers: Servers, count: number, logLevel: string): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await freshDatabase('postgres', servers.postgres?.url));
  const attio = await startSandboxServer({ people: PEOPLE, companies: 5, deals: 5 });
  stack.defer(() => attio.close());
  const env = {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    LOG_LEVEL: logLevel,
    ATTIO_API_KEY: 'sandbox-token',
    ATTIO_BASE_URL: `${attio.url}/v2`,
    ATTIO_WEBHOOK_SECRET: SECRET,
    SERVICE_API_KEYS: API_KEY,
    DATABASE_URL: database.url,
    REDIS_URL: servers.redis.url,
  };
  const instances: Instance[] = [];
  stack.defer(async () => {
    await Promise.all(instances.map((instance) => instance.end()));
  });
  while (instances.length < count) instances.push(new Instance(await freePort(), env));
  await Promise.all(instances.map((instance) => instance.ready()));
  const first = { method: 'POST', headers: AUTHORIZED };
  await until(async () => (await fetch(`${instances[0]?.url}/v1/sync/people?wait=true`, first)).ok);
  const kept = stack.move();
  return {
    ...servers,
    sandbox: attio.sandbox,
    database,
    instances,
    // What the sandbox answers to this request.
    attio: <T>(method: string, path: string, body?: unknown) =>
      attio.sandbox.act({ method, path, body }) as T,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}
