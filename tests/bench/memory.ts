/** Does a full sync need more memory for more records? Its peak until so many were seen, beside that at its end. */
import { freshDatabase } from '../support/engines.ts';
import type { Run } from '../support/service.ts';
import { Attio } from './support/attio.ts';
import { defineBench } from './support/bench.ts';
import { BenchService } from './support/bench-service.ts';
import { digits } from './support/statistics.ts';

const MOST_GROWTH_MB = 64;
const MB = 2 ** 20;
const SAMPLE_EVERY_MS = 100;

interface Sample {
  readonly seen: number;
  readonly rssMb: number;
}

export const memory = defineBench({
  name: 'memory',
  question: 'memory of a full sync',
  sizes: { records: [500_000, 50_000], from: [50_000, 5_000] },
  async run({ sizes, engine, profiles, say }) {
    const { records, from } = sizes;
    await using stack = new AsyncDisposableStack();
    say(`memory: an Attio with ${records} people`);
    const attio = stack.use(await Attio.start({ people: records }));
    const database = stack.use(await freshDatabase(engine));
    const service = stack.use(
      await BenchService.start({ databaseUrl: database.url, attioUrl: attio.url, profiles }),
    );
    await service.confirmed();
    say('memory: the full sync');
    const { samples, run } = await watch(service);
    const early = samples.filter(({ seen }) => seen <= from).map(({ rssMb }) => rssMb);
    const [before, after] = [Math.max(...early), Math.max(...samples.map(({ rssMb }) => rssMb))];
    const late = samples.filter(({ seen }) => seen > records - from).map(({ rssMb }) => rssMb);
    const grown = after - before;
    return {
      lines: [
        {
          what: `peak RSS of a full sync of ${records} records, ${engine}`,
          figure: `${digits(after)} MB, ${digits(grown)} MB more`,
          reference: `until ${from} records ${digits(before)} MB`,
          ratio: after / before,
          target: `≤ ${MOST_GROWTH_MB} MB more`,
          isReached: grown <= MOST_GROWTH_MB,
        },
      ],
      notes: [
        `mean RSS over the first ${from} records ${digits(mean(early))} MB, over the last ${digits(mean(late))} MB`,
      ],
      wrong: run.seen === records ? [] : [`the run has seen ${run.seen} of ${records} records`],
      samples,
    };
  },
});

/** Runs a full sync and looks at the process until it ends. */
async function watch(service: BenchService): Promise<{ samples: Sample[]; run: Run }> {
  const started = await service.call<{ data: Run }>('POST', '/v1/sync/people');
  const samples: Sample[] = [];
  for (;;) {
    const { rssBytes } = await service.usage();
    const { data: run } = await service.call<{ data: Run }>('GET', `/v1/sync/runs/${started.data.runId}`);
    samples.push({ seen: run.seen, rssMb: rssBytes / MB });
    if (run.status === 'succeeded') return { samples, run };
    if (run.status !== 'running') throw new Error(`the full sync has ${run.status}: ${run.error}`);
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS));
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
