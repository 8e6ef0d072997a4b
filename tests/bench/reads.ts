/** How many requests to Attio does a burst of events cost? Counted; a request per event is what it would cost untamed. */
import { freshDatabase } from '../support/engines.ts';
import { Attio } from './support/attio.ts';
import { defineBench } from './support/bench.ts';
import { BenchService } from './support/bench-service.ts';
import { deliveriesAbout, subjectsOf } from './support/events.ts';
import { openLoad } from './support/http-load.ts';
import type { Line } from './support/report.ts';
import { digits } from './support/statistics.ts';

const PER_RECORD = 0.02;
const FOR_FEW = 10;
/** Asked by whoever looks at the service's health, and once at its start. */
const HEALTH = 'GET /v2/self';

interface Burst {
  readonly records: number;
  readonly asked: number;
  readonly seconds: number;
  readonly byRoute: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

export const reads = defineBench({
  name: 'reads',
  question: 'requests to Attio for a burst of events',
  sizes: {
    events: [5_000, 1_000],
    'few-records': [50, 50],
    seconds: [20, 4],
    'latency-ms': [100, 100],
  },
  async run({ sizes, engine, profiles, say }) {
    const { events, seconds } = sizes;
    await using stack = new AsyncDisposableStack();
    const attio = stack.use(await Attio.start({ people: events, latencyMs: sizes['latency-ms'] }));
    const ids = await attio.people(events);
    const database = stack.use(await freshDatabase(engine));
    const service = stack.use(
      await BenchService.start({ databaseUrl: database.url, attioUrl: attio.url, profiles }),
    );
    await service.sync();
    const burst = async (records: number): Promise<Burst> => {
      say(`reads: ${events} events on ${records} records over ${seconds} s`);
      const some = ids.slice(0, records);
      const title = `Changed before the burst on ${records} records`;
      for (const id of some) await attio.edit(id, { job_title: title });
      await attio.forget();
      const deliveries = deliveriesAbout(subjectsOf(attio, some), events);
      const { statuses } = await openLoad(service.port, deliveries, events / seconds);
      await service.settled();
      const asked = (await attio.asked()).filter(({ route }) => route !== HEALTH);
      const [row] = await database.rows(
        `select count(*) as n from record where object = 'people' and values_json like '%${title}%'`,
      );
      const faults = [
        statuses[202] === events ? '' : `not all was accepted: ${JSON.stringify(statuses)}`,
        Number(row?.['n']) === records ? '' : `${row?.['n']} of ${records} changed records are in the mirror`,
      ].filter((fault) => fault !== '');
      const byRoute = Object.fromEntries(
        [...Map.groupBy(asked, ({ route }) => route)].map(([route, all]) => [route, all.length]),
      );
      return { records, asked: asked.length, seconds, byRoute, faults };
    };
    const many = await burst(events);
    const few = await burst(sizes['few-records']);
    return {
      lines: [
        line(many, events, PER_RECORD * events + seconds, `≤ ${PER_RECORD} × records + T`),
        line(few, events, FOR_FEW + seconds, `≤ ${FOR_FEW} + T`),
      ],
      notes: [many, few].map(({ records, byRoute }) => `on ${records} records: ${JSON.stringify(byRoute)}`),
      wrong: [...many.faults, ...few.faults],
      samples: { many, few },
    };
  },
});

function line({ records, asked, seconds }: Burst, events: number, most: number, rule: string): Line {
  return {
    what: `${events} events on ${records} records over T = ${seconds} s`,
    figure: `${asked} requests`,
    reference: `one per event: ${events}`,
    ratio: asked / events,
    target: `${rule} = ${digits(most)}`,
    isReached: asked <= most,
  };
}
