/** What does the service cost when nothing happens, but that its health is looked at as load balancers do? */
import { freshDatabase } from '../support/engines.ts';
import { until } from '../support/service.ts';
import { Attio } from './support/attio.ts';
import { defineBench } from './support/bench.ts';
import { BenchService } from './support/bench-service.ts';
import { digits } from './support/statistics.ts';

const MOST_OF_A_CORE = 0.01;
const MOST_RSS_MB = 120;
const MB = 2 ** 20;
const HEALTH_EVERY_MS = 5_000;
const QUIET_MS = 2_000;
/** The one request that health may make. */
const HEALTH = 'GET /v2/self';

export const idle = defineBench({
  name: 'idle',
  question: 'what an idle service uses',
  sizes: { seconds: [60, 10], people: [1_000, 200] },
  async run({ sizes, engine, profiles, say }) {
    await using stack = new AsyncDisposableStack();
    const attio = stack.use(await Attio.start({ people: sizes.people }));
    const database = stack.use(await freshDatabase(engine));
    const first = await BenchService.start({ databaseUrl: database.url, attioUrl: attio.url });
    await first.sync();
    await first.process.stop();
    const service = stack.use(
      await BenchService.start({ databaseUrl: database.url, attioUrl: attio.url, profiles }),
    );
    await service.confirmed();
    await quiet(attio);
    await attio.forget();
    say(`idle: ${sizes.seconds} s`);
    const before = await service.usage();
    const startedAt = performance.now();
    await watchHealth(service, sizes.seconds * 1000);
    const after = await service.usage();
    const share = (after.cpuMs - before.cpuMs) / (performance.now() - startedAt);
    const asked = await attio.asked();
    const others = asked.filter(({ route }) => route !== HEALTH);
    const rssMb = after.rssBytes / MB;
    const plain = { reference: null, ratio: null };
    return {
      lines: [
        {
          ...plain,
          what: `requests to Attio in ${sizes.seconds} s`,
          figure: `${others.length}, and ${asked.length - others.length} of health`,
          target: '0 but those of health',
          isReached: others.length === 0,
        },
        {
          ...plain,
          what: 'CPU',
          figure: `${digits(share * 100)} % of a core`,
          target: `≤ ${MOST_OF_A_CORE * 100} %`,
          isReached: share <= MOST_OF_A_CORE,
        },
        {
          ...plain,
          what: 'RSS',
          figure: `${digits(rssMb)} MB`,
          target: `≤ ${MOST_RSS_MB} MB`,
          isReached: rssMb <= MOST_RSS_MB,
        },
      ],
      notes: [
        `health was asked for every ${HEALTH_EVERY_MS / 1000} s; ${sizes.people} people were mirrored before, ${engine}; peak RSS since the start ${digits(after.peakRssBytes / MB)} MB`,
      ],
      wrong: [],
      samples: { before, after, asked },
    };
  },
});

/** Resolves when nothing was asked for a while: what a start reads has been read. */
async function quiet(attio: Attio): Promise<void> {
  await until(async () => Date.now() - ((await attio.asked()).at(-1)?.at ?? 0) > QUIET_MS, 60_000, 250);
}

async function watchHealth(service: BenchService, ms: number): Promise<void> {
  for (const endsAt = performance.now() + ms; performance.now() < endsAt; ) {
    await service.call('GET', '/health');
    const waitMs = Math.max(0, Math.min(HEALTH_EVERY_MS, endsAt - performance.now()));
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
