/** How fast are waiting events worked off? Beside a plain loop that reads, stores and settles one after the other. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freshDatabase } from '../support/engines.ts';
import { Attio } from './support/attio.ts';
import { defineBench } from './support/bench.ts';
import { BenchService } from './support/bench-service.ts';
import { copyOf } from './support/copies.ts';
import { EditsMeanwhile } from './support/edits-meanwhile.ts';
import { fillInbox, lastSettledAt, settledOutOfOrder, subjectsOf } from './support/events.ts';
import { runReference } from './support/reference.ts';
import { scratchDirectory } from './support/scratch.ts';
import { alternate, measured, shown } from './support/statistics.ts';

const LEAST_PER_SECOND = 2_000;
const FILTERED_READ = 'POST /v2/objects/people/records/query';

interface Drained {
  readonly perSecond: number;
  /** @unit µs */
  readonly cpuPerEvent: number;
  readonly faults: readonly string[];
}

export const drain = defineBench({
  name: 'drain',
  question: 'waiting events worked off per second, against an Attio without limits',
  sizes: {
    events: [50_000, 5_000],
    records: [25_000, 2_500],
    rounds: [3, 2],
    'reference-events': [1_000, 200],
    'edited-records': [50, 20],
  },
  async run({ sizes, engine, profiles, say }) {
    await using stack = new AsyncDisposableStack();
    const attio = stack.use(await Attio.start({ people: sizes.records }));
    const subjects = subjectsOf(attio, await attio.people(sizes.records));
    await attio.leaves();
    const full = stack.use(await freshDatabase(engine));
    say(`drain: ${sizes.events} deliveries while Attio is away`);
    await fillInbox(full, attio, subjects, sizes.events);
    await attio.comesBack();
    const scratch = stack.use(await scratchDirectory());
    const waiting = await full.rows(
      `select payload_json from inbox order by id limit ${sizes['reference-events']}`,
    );
    await writeFile(
      join(scratch.path, 'events.json'),
      JSON.stringify(waiting.map((row) => row['payload_json'])),
    );

    const service = async (round: number): Promise<Drained> => {
      say(`drain: round ${round + 1} of ${sizes.rounds}`);
      await using database = await copyOf(full, engine);
      await attio.forget();
      await using running = await BenchService.start({
        databaseUrl: database.url,
        attioUrl: attio.url,
        profiles,
      });
      const before = await running.usage();
      const edits = new EditsMeanwhile(attio, subjects.slice(-sizes['edited-records']));
      await edits.make(running);
      await running.settled();
      const after = await running.usage();
      const firstRead = (await attio.asked()).find(({ route }) => route === FILTERED_READ);
      const events = sizes.events + edits.count;
      const seconds = ((await lastSettledAt(database)) - (firstRead?.at ?? 0)) / 1000;
      const late = await settledOutOfOrder(database);
      const mirrored = await database.rows(`select record_id from record where object = 'people'`);
      return {
        perSecond: events / seconds,
        cpuPerEvent: ((after.cpuMs - before.cpuMs) * 1000) / events,
        faults: [
          ...(await edits.faults(running)),
          ...(late === 0 ? [] : [`${late} events were settled before earlier ones of their record`]),
          ...(mirrored.length === sizes.records
            ? []
            : [`${mirrored.length} of ${sizes.records} records are mirrored`]),
        ],
      };
    };
    const plain = async (round: number): Promise<Drained> => {
      const events = sizes['reference-events'];
      const [file, of] = [join(scratch.path, `plain-${round}.db`), join(scratch.path, 'events.json')];
      const took = await runReference<{ seconds: number; cpuMs: number }>('one-by-one.ts', [
        attio.url,
        file,
        of,
      ]);
      return { perSecond: events / took.seconds, cpuPerEvent: (took.cpuMs * 1000) / events, faults: [] };
    };
    const found = await alternate(sizes.rounds, { plain, service });
    const [ours, theirs] = [found.service, found.plain].map((all) =>
      measured(all.map((one) => one.perSecond)),
    );
    const [cost, plainCost] = [found.service, found.plain].map((all) =>
      shown(measured(all.map((one) => one.cpuPerEvent)), ' µs'),
    );
    return {
      lines: [
        {
          what: `${sizes.events} events on ${sizes.records} records, ${engine}`,
          figure: `${ours === undefined ? '' : shown(ours, '/s')}`,
          reference: `one by one ${theirs === undefined ? '' : shown(theirs, '/s')}`,
          ratio: (ours?.median ?? 0) / (theirs?.median ?? 0),
          target: `≥ ${LEAST_PER_SECOND}/s, order kept`,
          isReached:
            (ours?.median ?? 0) >= LEAST_PER_SECOND && found.service.every((one) => one.faults.length === 0),
        },
      ],
      notes: [`CPU time per event: ${cost}; one by one ${plainCost}`],
      wrong: found.service.flatMap((one) => one.faults),
      samples: found,
    };
  },
});
