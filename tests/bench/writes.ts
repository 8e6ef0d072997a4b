/** How much of the budget for writes is used, and does Attio ever refuse? One instance, and three that share it. */
import production from '../../config/attio.production.json' with { type: 'json' };
import { type Engine, freshDatabase } from '../support/engines.ts';
import { PrivateRedis } from '../support/private-redis.ts';
import { until } from '../support/service.ts';
import { type Asked, Attio } from './support/attio.ts';
import { type Context, defineBench } from './support/bench.ts';
import { BenchService } from './support/bench-service.ts';
import { closedLoad, requestBytes } from './support/http-load.ts';
import { type Line, notRun } from './support/report.ts';
import { digits } from './support/statistics.ts';

const BUDGET = production.attio.writesPerSecond;
const LEAST_ALONE = 0.95;
const LEAST_SHARED = 0.9;
const MOST_REFUSED = 0.005;
const SHARING = 3;
const CONNECTIONS = 16;
/** A record is made or changed, whichever way the service chooses. */
const UPSERT = /^(POST|PUT|PATCH) \/v2\/objects\/people\/records(?!\/query)/;

interface Written {
  readonly perSecond: number;
  readonly share: number;
  readonly refusedShare: number;
  readonly asked: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

export const writes = defineBench({
  name: 'writes',
  question: "upserts under Attio's limit of 25 writes a second",
  sizes: { upserts: [2_000, 200], 'latency-ms': [150, 150] },
  async run(context) {
    const { sizes, engine, withoutPostgres, withoutRedis, say } = context;
    say(`writes: ${sizes.upserts} by one instance`);
    const alone = await write(context, { instances: 1, engine });
    const missing = withoutPostgres ?? withoutRedis;
    if (missing === null) say(`writes: ${sizes.upserts} by ${SHARING} instances`);
    const shared = missing === null ? await write(context, { instances: SHARING, engine: 'postgres' }) : null;
    const what = `${SHARING} instances sharing it, PostgreSQL and Redis`;
    return {
      lines: [
        ...lines(`${sizes.upserts} upserts, one instance, ${engine}`, alone, LEAST_ALONE),
        ...(shared === null
          ? [notRun(what, `≥ ${LEAST_SHARED * 100} %`, `no PostgreSQL or no Redis (${missing})`)]
          : lines(what, shared, LEAST_SHARED)),
      ],
      notes: [alone, ...(shared === null ? [] : [shared])].map(
        ({ asked }) => `Attio was asked ${JSON.stringify(asked)}`,
      ),
      wrong: [...alone.faults, ...(shared?.faults ?? [])],
      samples: { alone, shared },
    };
  },
});

async function write(
  {
    sizes,
    profiles,
  }: Context<{ upserts: readonly [number, number]; 'latency-ms': readonly [number, number] }>,
  { instances, engine }: { instances: number; engine: Engine },
): Promise<Written> {
  await using stack = new AsyncDisposableStack();
  const attio = stack.use(await Attio.start({ people: 10, latencyMs: sizes['latency-ms'], hasLimits: true }));
  const database = stack.use(await freshDatabase(engine));
  const redisUrl = instances === 1 ? undefined : stack.use(await PrivateRedis.start()).url;
  const services: BenchService[] = [];
  while (services.length < instances) {
    const options = { databaseUrl: database.url, attioUrl: attio.url, redisUrl, profiles };
    services.push(stack.use(await BenchService.start(options)));
  }
  for (const service of services) await service.confirmed();
  await attio.forget();
  const statuses = await Promise.all(
    services.map(async (service, turn) => {
      const requests = upserts(service, sizes.upserts).filter((_, index) => index % instances === turn);
      const loaded = await closedLoad(service.port, requests, CONNECTIONS);
      return loaded.statuses[202] === requests.length ? [] : [`answers: ${JSON.stringify(loaded.statuses)}`];
    }),
  );
  const limitMs = 60_000 + (sizes.upserts / BUDGET) * 3_000;
  await until(async () => (await services[0]?.pendingWrites()) === 0, limitMs, 500);
  const unsynced = await database.rows(`select status from outbox where status <> 'done'`);
  const made = await attio.countPeople();
  return {
    ...rateOf(await attio.asked()),
    faults: [
      ...statuses.flat(),
      ...(unsynced.length === 0 ? [] : [`${unsynced.length} writes were not brought to Attio`]),
      ...(made === sizes.upserts + 10 ? [] : [`Attio has ${made} people, not ${sizes.upserts + 10}`]),
    ],
  };
}

function upserts(service: BenchService, count: number): Buffer[] {
  const headers = { ...service.authorization, 'content-type': 'application/json' };
  return Array.from({ length: count }, (_, index) => {
    const body = { email: `upsert-${index}@example.com`, firstName: 'Upsert', lastName: `Number ${index}` };
    return requestBytes('PUT', '/v1/contacts?wait=false', headers, JSON.stringify(body));
  });
}

/** From the first upsert that Attio has taken to the last. */
function rateOf(asked: readonly Asked[]): Omit<Written, 'faults'> {
  const taken = asked.filter(({ route, status }) => UPSERT.test(route) && status < 300);
  const [first, last] = [taken[0], taken.at(-1)];
  const seconds = ((last?.at ?? 0) - (first?.at ?? 0)) / 1000;
  const perSecond = (taken.length - 1) / seconds;
  const refused = asked.filter(({ status }) => status === 429).length;
  const counts = Map.groupBy(asked, ({ route, status }) => `${route} → ${status}`);
  return {
    perSecond,
    share: perSecond / BUDGET,
    refusedShare: refused / asked.length,
    asked: Object.fromEntries([...counts].map(([key, all]) => [key, all.length])),
  };
}

function lines(what: string, { perSecond, share, refusedShare, faults }: Written, least: number): Line[] {
  return [
    {
      what,
      figure: `${digits(perSecond)} upserts/s`,
      reference: `configured budget ${BUDGET}/s`,
      ratio: share,
      target: `≥ ${least * 100} %`,
      isReached: share >= least,
    },
    {
      what: `refused with 429, ${what}`,
      figure: `${digits(refusedShare * 100)} %, ${faults.length === 0 ? 'all recovered' : 'NOT all recovered'}`,
      reference: null,
      ratio: null,
      target: `≤ ${MOST_REFUSED * 100} %, all recovered`,
      isReached: refusedShare <= MOST_REFUSED && faults.length === 0,
    },
  ];
}
