/** Do three instances on one PostgreSQL work waiting events off faster than one? */
import { freshDatabase, type TestDatabase } from '../support/engines.ts';
import { PrivateRedis } from '../support/private-redis.ts';
import { until } from '../support/service.ts';
import { Attio } from './support/attio.ts';
import { defineBench } from './support/bench.ts';
import { BenchService, type Subject } from './support/bench-service.ts';
import { copyOf } from './support/copies.ts';
import {
  deliveriesAbout,
  fillInbox,
  lastSettledAt,
  settledOutOfOrder,
  subjectsOf,
} from './support/events.ts';
import { closedLoad } from './support/http-load.ts';
import { notRun } from './support/report.ts';
import { alternate, digits, measured, shown } from './support/statistics.ts';

const LEAST_RATIO = 1.7;
const INSTANCES = 3;

interface Drained {
  readonly perSecond: number;
  /** Of all instances, without PostgreSQL. @unit µs */
  readonly cpuPerEvent: number;
  /** Events that instances say they have settled, for one that there was: more than 1 is work done twice. */
  readonly settledPerEvent: number;
  readonly faults: readonly string[];
}

export const scaleOut = defineBench({
  name: 'scale-out',
  question: 'waiting events worked off by three instances on one PostgreSQL',
  sizes: { events: [20_000, 2_000], records: [10_000, 1_000], rounds: [3, 1] },
  async run({ sizes, withoutPostgres, withoutRedis, profiles, say }) {
    const missing = withoutPostgres ?? withoutRedis;
    const what = `${INSTANCES} instances, ${sizes.events} events on ${sizes.records} records`;
    const target = `≥ ${LEAST_RATIO} ×`;
    if (missing !== null) {
      const line = notRun(what, target, `no PostgreSQL or no Redis (${missing})`);
      return { lines: [line], notes: [], wrong: [], samples: null };
    }
    await using stack = new AsyncDisposableStack();
    const attio = stack.use(await Attio.start({ people: sizes.records }));
    const redis = stack.use(await PrivateRedis.start());
    const subjects = subjectsOf(attio, await attio.people(sizes.records));
    const full = stack.use(await freshDatabase('postgres'));
    say(`scale-out: ${sizes.events} deliveries while Attio is away`);
    await attio.leaves();
    await fillInbox(full, attio, subjects, sizes.events);
    await attio.comesBack();
    // Instances find nothing to do until all of them are there.
    await full.rows(`update inbox set status = 'kept'`);

    const drain = (instances: number) => async (round: number) => {
      say(`scale-out: round ${round + 1}, ${instances} instance${instances === 1 ? '' : 's'}`);
      await using database = await copyOf(full, 'postgres');
      await using running = new AsyncDisposableStack();
      const options = { databaseUrl: database.url, attioUrl: attio.url, redisUrl: redis.url, profiles };
      const services = await Promise.all(
        Array.from({ length: instances }, async () => running.use(await BenchService.start(options))),
      );
      for (const service of services) await service.confirmed();
      // Awaited here: what it uses ends with this function.
      return await measure(services, database, subjects, sizes.events);
    };
    const found = await alternate(sizes.rounds, { one: drain(1), three: drain(INSTANCES) });
    const [one, three] = [found.one, found.three].map((all) => ({
      rate: measured(all.map(({ perSecond }) => perSecond)),
      cpu: measured(all.map(({ cpuPerEvent }) => cpuPerEvent)),
      settled: measured(all.map(({ settledPerEvent }) => settledPerEvent)),
    }));
    if (one === undefined || three === undefined) throw new Error('nothing was measured');
    const ratio = three.rate.median / one.rate.median;
    return {
      lines: [
        {
          what,
          figure: shown(three.rate, '/s'),
          reference: `one instance ${shown(one.rate, '/s')}`,
          ratio,
          target,
          isReached: ratio >= LEAST_RATIO,
        },
        {
          what: 'CPU time per event, all instances together',
          figure: shown(three.cpu, ' µs'),
          reference: `one instance ${shown(one.cpu, ' µs')}`,
          ratio: three.cpu.median / one.cpu.median,
          target: null,
          isReached: null,
        },
      ],
      notes: [
        `each event was settled ${digits(three.settled.median)} times by ${INSTANCES} instances, ${digits(one.settled.median)} times by one`,
        "PostgreSQL's own CPU time is not in these figures, and it shares the cores",
      ],
      wrong: [...found.one, ...found.three].flatMap(({ faults }) => faults),
      samples: found,
    };
  },
});

/** Shows the events to all instances at once, and waits until they are settled. */
async function measure(
  services: readonly BenchService[],
  database: TestDatabase,
  subjects: readonly Subject[],
  waiting: number,
): Promise<Drained> {
  const before = await cpuOf(services);
  const startedAt = Date.now();
  await database.rows(`update inbox set status = 'pending' where status = 'kept'`);
  // As any delivery does, one wakes the instance that it comes to.
  for (const service of services) await closedLoad(service.port, deliveriesAbout(subjects.slice(-1), 1), 1);
  await until(async () => (await pendingIn(database)) === 0, 600_000, 200);
  const seconds = ((await lastSettledAt(database)) - startedAt) / 1000;
  const events = waiting + services.length;
  const late = await settledOutOfOrder(database);
  const settled = await Promise.all(services.map((service) => service.settledEvents()));
  return {
    perSecond: events / seconds,
    cpuPerEvent: (((await cpuOf(services)) - before) * 1000) / events,
    settledPerEvent: settled.reduce((sum, one) => sum + one, 0) / events,
    faults: late === 0 ? [] : [`${late} events were settled before earlier ones of their record`],
  };
}

async function cpuOf(services: readonly BenchService[]): Promise<number> {
  const usages = await Promise.all(services.map((service) => service.usage()));
  return usages.reduce((sum, { cpuMs }) => sum + cpuMs, 0);
}

async function pendingIn(database: TestDatabase): Promise<number> {
  const [row] = await database.rows(`select count(*) as n from inbox where status = 'pending'`);
  return Number(row?.['n']);
}
