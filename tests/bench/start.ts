/** What does a start cost, on a database that is up to date and large? Beside a bare Fastify app. */
import { freshDatabase, type TestDatabase } from '../support/engines.ts';
import { Attio } from './support/attio.ts';
import { defineBench } from './support/bench.ts';
import { BenchService } from './support/bench-service.ts';
import { growTo } from './support/grow.ts';
import type { Usage } from './support/measured-process.ts';
import { startReference } from './support/reference.ts';
import { alternate, digits, measured, shown } from './support/statistics.ts';

/** So that the looking itself costs next to nothing. */
const LOOK_EVERY_MS = 10;
const MB = 2 ** 20;

interface Started {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly rssMb: number;
}

export const start = defineBench({
  name: 'start',
  question: 'CPU time from nothing to ready, on a large database',
  sizes: { rows: [1_000_000, 50_000], rounds: [7, 3] },
  async run({ sizes, engine, profiles, say }) {
    await using stack = new AsyncDisposableStack();
    const attio = stack.use(await Attio.start({ people: 200 }));
    const [large, empty] = [stack.use(await freshDatabase(engine)), stack.use(await freshDatabase(engine))];
    say(`start: a database of ${sizes.rows} rows`);
    for (const database of [large, empty]) await mirrorOnce(database, attio);
    const rows = await growTo(large, sizes.rows);
    const service = (database: TestDatabase) => async () => {
      const startedAt = performance.now();
      await using running = await BenchService.start({
        databaseUrl: database.url,
        attioUrl: attio.url,
        lookEveryMs: LOOK_EVERY_MS,
        profiles,
      });
      return started(await running.usage(), startedAt);
    };
    const bare = async () => {
      const startedAt = performance.now();
      await using running = await startReference('bare-app.mjs', [], LOOK_EVERY_MS);
      return started(await running.process.usage(), startedAt);
    };
    const found = await alternate(sizes.rounds, { bare, large: service(large), small: service(empty) });
    const [reference, onLarge, onSmall] = [found.bare, found.large, found.small].map((all) =>
      measured(all.map((one) => one.cpuMs)),
    ) as [ReturnType<typeof measured>, ReturnType<typeof measured>, ReturnType<typeof measured>]; // one of each
    const wall = [found.large, found.bare].map((all) => shown(measured(all.map((one) => one.wallMs)), ' ms'));
    return {
      lines: [
        {
          what: `CPU to ready, ${rows} rows, ${engine}`,
          figure: shown(onLarge, ' ms'),
          reference: `bare Fastify app ${shown(reference, ' ms')}`,
          ratio: onLarge.median / reference.median,
          target: null,
          isReached: null,
        },
        {
          what: 'CPU to ready, beside a small database',
          figure: shown(onLarge, ' ms'),
          reference: `200 people ${shown(onSmall, ' ms')}`,
          ratio: onLarge.median / onSmall.median,
          target: null,
          isReached: null,
        },
      ],
      notes: [
        `wall time to ready ${wall[0]}, bare ${wall[1]}`,
        `RSS when ready ${digits(measured(found.large.map((one) => one.rssMb)).median)} MB, bare ${digits(measured(found.bare.map((one) => one.rssMb)).median)} MB`,
      ],
      wrong: [],
      samples: found,
    };
  },
});

async function mirrorOnce(database: TestDatabase, attio: Attio): Promise<void> {
  await using service = await BenchService.start({ databaseUrl: database.url, attioUrl: attio.url });
  await service.sync();
}

function started({ cpuMs, rssBytes }: Usage, startedAt: number): Started {
  return { cpuMs, wallMs: performance.now() - startedAt, rssMb: rssBytes / MB };
}
