/**
 * How long does a full sync take? Beside the plain loop, page after page, against the same Attio with its limits and
 * latency; and beside the time that its pages take at the least, as many at once as are configured.
 */
import { join } from 'node:path';
import production from '../../config/attio.production.json' with { type: 'json' };
import { freshDatabase } from '../support/engines.ts';
import type { Run } from '../support/service.ts';
import { Attio } from './support/attio.ts';
import { defineBench } from './support/bench.ts';
import { BenchService } from './support/bench-service.ts';
import { runReference } from './support/reference.ts';
import { scratchDirectory } from './support/scratch.ts';
import { alternate, digits, measured, median, shown } from './support/statistics.ts';

const LEAST_RATIO = 3.5;
const MOST_OF_BOUND = 1.25;
const MOST_OF_CPU = 0.5;
const PLAIN_PAGE = 500;
const PAGE = 'POST /v2/objects/people/records/query';

interface Pass {
  readonly seconds: number;
  readonly cpuMs: number;
  readonly attioCpuMs: number;
  readonly refused: number;
  readonly run: Run | null;
}

interface Round {
  readonly first: Pass;
  /** Of the same service, with nothing changed; the plain loop has none. */
  readonly again: Pass | null;
}

export const fullSync = defineBench({
  name: 'full-sync',
  question: "a full sync, with Attio's limits and latency",
  sizes: { records: [100_000, 10_000], 'latency-ms': [150, 150], rounds: [3, 2] },
  async run({ sizes, engine, profiles, say }) {
    const { records } = sizes;
    const { pageSize, overlap, width } = production.sync;
    const step = pageSize - overlap;
    await using stack = new AsyncDisposableStack();
    const scratch = stack.use(await scratchDirectory());
    say(`full-sync: an Attio with ${records} people, and their pages`);
    const attio = stack.use(
      await Attio.start({ people: records, latencyMs: sizes['latency-ms'], hasLimits: true }),
    );
    await attio.keepPages(records, PLAIN_PAGE);
    await attio.keepPages(records, step);

    const plain = async (round: number): Promise<Round> => {
      say(`full-sync: round ${round + 1} of ${sizes.rounds}`);
      const before = await attio.usage();
      const path = join(scratch.path, `plain-${round}.db`);
      const took = await runReference<{ seconds: number; cpuMs: number; records: number }>(
        'sequential-sync.ts',
        [attio.url, path],
      );
      if (took.records !== records) throw new Error(`the plain loop has copied ${took.records} records`);
      const { cpuMs } = await attio.usage();
      return { first: { ...took, attioCpuMs: cpuMs - before.cpuMs, refused: 0, run: null }, again: null };
    };
    const service = async (): Promise<Round> => {
      await using database = await freshDatabase(engine);
      await using running = await BenchService.start({
        databaseUrl: database.url,
        attioUrl: attio.url,
        profiles,
      });
      await running.confirmed();
      return { first: await pass(running, attio), again: await pass(running, attio) };
    };
    const found = await alternate(sizes.rounds, { plain, service });
    const first = found.service.map((round) => round.first);
    const again = found.service.flatMap((round) => round.again ?? []);
    const loops = found.plain.map((round) => round.first);
    const boundSeconds = (Math.ceil((records - overlap) / step) * sizes['latency-ms']) / 1000 / width;
    const seconds = measured(first.map((one) => one.seconds));
    const loop = measured(loops.map((one) => one.seconds));
    const cpu = [first, again].map((all) => measured(all.map((one) => one.cpuMs / 1000)));
    const cpuRatio = median(again.map((one, index) => one.cpuMs / (first[index]?.cpuMs ?? 0)));
    const written = again.reduce((sum, { run }) => sum + changesOf(run), 0);
    return {
      lines: [
        {
          what: `${records} records, ${sizes['latency-ms']} ms a page, width ${width}, ${engine}`,
          figure: shown(seconds, ' s'),
          reference: `one page after the other ${shown(loop, ' s')}`,
          ratio: loop.median / seconds.median,
          target: `≥ ${LEAST_RATIO} ×`,
          isReached: loop.median / seconds.median >= LEAST_RATIO,
        },
        {
          what: 'the same, beside its latency bound',
          figure: shown(seconds, ' s'),
          reference: `pages × latency ÷ width ${digits(boundSeconds)} s`,
          ratio: seconds.median / boundSeconds,
          target: `≤ ${MOST_OF_BOUND} ×`,
          isReached: seconds.median <= MOST_OF_BOUND * boundSeconds,
        },
        {
          what: `unchanged, again: ${written} rows written; CPU`,
          figure: cpu[1] === undefined ? '' : shown(cpu[1], ' s'),
          reference: `first run ${cpu[0] === undefined ? '' : shown(cpu[0], ' s')}`,
          ratio: cpuRatio,
          target: `nothing written, ≤ ${MOST_OF_CPU} ×`,
          isReached: written === 0 && cpuRatio <= MOST_OF_CPU,
        },
      ],
      notes: [
        `CPU: the plain loop ${shown(measured(loops.map((one) => one.cpuMs / 1000)), ' s')}; Attio during a first run ${shown(measured(first.map((one) => one.attioCpuMs / 1000)), ' s')}`,
        `unchanged, again: ${shown(measured(again.map((one) => one.seconds)), ' s')}`,
        `${[...first, ...again].reduce((sum, one) => sum + one.refused, 0)} requests were refused with 429`,
      ],
      wrong: [...first, ...again].flatMap(({ run }) =>
        run?.seen === records ? [] : [`a run has seen ${run?.seen} of ${records} records`],
      ),
      samples: found,
    };
  },
});

async function pass(running: BenchService, attio: Attio): Promise<Pass> {
  const [before, attioBefore] = [await running.usage(), await attio.usage()];
  await attio.forget();
  const startedAt = performance.now();
  const run = await running.sync();
  const seconds = (performance.now() - startedAt) / 1000;
  const [after, attioAfter] = [await running.usage(), await attio.usage()];
  const asked = await attio.asked();
  return {
    seconds,
    cpuMs: after.cpuMs - before.cpuMs,
    attioCpuMs: attioAfter.cpuMs - attioBefore.cpuMs,
    refused: asked.filter(({ route, status }) => route === PAGE && status === 429).length,
    run,
  };
}

function changesOf(run: Run | null): number {
  return run === null ? 0 : run.created + run.updated + run.deleted + run.merged;
}
