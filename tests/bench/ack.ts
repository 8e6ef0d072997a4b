/** How fast is a delivery accepted, durably? Beside routes that check the signature, without and with a synced file. */
import { join } from 'node:path';
import { type Engine, freshDatabase } from '../support/engines.ts';
import { Attio } from './support/attio.ts';
import { defineBench } from './support/bench.ts';
import { BenchService, deliveryBytes, SECRET, type Subject } from './support/bench-service.ts';
import { closedLoad, type Loaded, openLoad } from './support/http-load.ts';
import { type Reference, startReference } from './support/reference.ts';
import { type Line, notRun } from './support/report.ts';
import { scratchDirectory } from './support/scratch.ts';
import { alternate, measured, percentile, shown } from './support/statistics.ts';

const LEAST_RATIO = 0.5;
const MOST_P99_RATIO = 3;

interface Accepted extends Loaded {
  readonly perSecond: number;
  /** Of the process that accepts, per delivery. @unit ms */
  readonly cpuMs: number;
}

interface Contender {
  readonly name: string;
  readonly process: { usage(): Promise<{ cpuMs: number }> };
  readonly port: number;
  /** Nothing of one turn is left to be done in the next. */
  readonly rest: () => Promise<void>;
}

export const ack = defineBench({
  name: 'ack',
  question: 'deliveries accepted per second, on disk, while their events are worked on',
  sizes: {
    deliveries: [10_000, 2_000],
    connections: [64, 64],
    rounds: [5, 3],
    rate: [250, 250],
    seconds: [30, 4],
    'slow-rounds': [3, 1],
    people: [1_000, 200],
  },
  async run({ sizes, engines, withoutPostgres, profiles, say }) {
    await using stack = new AsyncDisposableStack();
    const scratch = stack.use(await scratchDirectory());
    const attio = stack.use(await Attio.start({ people: sizes.people }));
    const ids = await attio.people(sizes.people);
    const subjects = ids.map(
      (recordId): Subject => ({ workspaceId: attio.workspaceId, objectId: attio.peopleId, recordId }),
    );
    const requests = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        deliveryBytes(subjects[index % subjects.length] as Subject),
      ); // there are some

    const services: Contender[] = [];
    for (const engine of engines) {
      const database = stack.use(await freshDatabase(engine));
      const service = stack.use(
        await BenchService.start({ databaseUrl: database.url, attioUrl: attio.url, profiles }),
      );
      await service.confirmed();
      services.push({ name: engine, process: service, port: service.port, rest: () => service.settled() });
    }
    const bare = contender('bare', stack.use(await startReference('bare-webhook.ts', [SECRET])));
    const synced = contender(
      'synced',
      stack.use(await startReference('bare-webhook.ts', [SECRET, join(scratch.path, 'deliveries')])),
    );

    say(
      `ack: ${sizes.rounds} rounds of ${sizes.deliveries} deliveries over ${sizes.connections} connections`,
    );
    const fast = await alternate(
      sizes.rounds + 1,
      byName([bare, ...services], (one) =>
        turn(one, () => closedLoad(one.port, requests(sizes.deliveries), sizes.connections)),
      ),
    );
    // The first round warms up.
    for (const rounds of Object.values(fast)) rounds.shift();
    say(`ack: ${sizes['slow-rounds']} rounds of ${sizes.rate} deliveries/s for ${sizes.seconds} s`);
    const steady = await alternate(
      sizes['slow-rounds'],
      byName([synced, ...services], (one) =>
        turn(one, () => openLoad(one.port, requests(sizes.rate * sizes.seconds), sizes.rate)),
      ),
    );
    return {
      lines: [
        ...services.flatMap(({ name }) => [
          throughput(name, fast[name] ?? [], fast[bare.name] ?? []),
          latency(name, steady[name] ?? [], steady[synced.name] ?? [], sizes),
        ]),
        ...(withoutPostgres === null
          ? []
          : [
              notRun(
                'accepted deliveries/s, PostgreSQL',
                `≥ ${LEAST_RATIO} ×`,
                `no PostgreSQL (${withoutPostgres})`,
              ),
            ]),
      ],
      notes: [
        ...costs([bare, ...services], fast),
        `the load generator used at most ${shareOf(Object.values(fast).flat())} of a core, and at ${sizes.rate}/s its latest request left ${Math.round(
          Math.max(
            ...Object.values(steady)
              .flat()
              .map((one) => one.latestMs),
          ),
        )} ms late`,
      ],
      wrong: Object.entries({ ...fast, ...steady }).flatMap(([name, rounds]) => refused(name, rounds)),
      samples: { fast: summaries(fast), steady: summaries(steady) },
    };
  },
});

function contender(name: string, { process, port }: Reference): Contender {
  return { name, process, port, rest: async () => {} };
}

function byName<T>(contenders: readonly Contender[], run: (one: Contender) => Promise<T>) {
  return Object.fromEntries(contenders.map((one) => [one.name, () => run(one)]));
}

async function turn(one: Contender, load: () => Promise<Loaded>): Promise<Accepted> {
  const before = await one.process.usage();
  const loaded = await load();
  const after = await one.process.usage();
  await one.rest();
  const count = loaded.latenciesMs.length;
  return { ...loaded, perSecond: count / loaded.seconds, cpuMs: (after.cpuMs - before.cpuMs) / count };
}

function throughput(name: string, ours: readonly Accepted[], bare: readonly Accepted[]): Line {
  const [figure, reference] = [ours, bare].map((rounds) => measured(rounds.map((one) => one.perSecond)));
  const ratio = (figure?.median ?? 0) / (reference?.median ?? 0);
  return {
    what: `accepted deliveries/s, ${nameOf(name)}`,
    figure: figure === undefined ? '' : shown(figure, '/s'),
    reference: reference === undefined ? null : `bare route ${shown(reference, '/s')}`,
    ratio,
    target: `≥ ${LEAST_RATIO} ×`,
    isReached: ratio >= LEAST_RATIO,
  };
}

function latency(
  name: string,
  ours: readonly Accepted[],
  synced: readonly Accepted[],
  { rate, seconds }: { rate: number; seconds: number },
): Line {
  const [figure, reference] = [ours, synced].map((rounds) =>
    measured(rounds.map((one) => percentile(one.latenciesMs, 0.99))),
  );
  const ratio = (figure?.median ?? 0) / (reference?.median ?? 0);
  const others = refused(name, ours);
  return {
    what: `p99 at ${rate}/s for ${seconds} s, ${nameOf(name)}`,
    figure: `${figure === undefined ? '' : shown(figure, ' ms')}, ${others.length === 0 ? 'all 202' : others.join(', ')}`,
    reference: reference === undefined ? null : `bare route with fsync ${shown(reference, ' ms')}`,
    ratio,
    target: `≤ ${MOST_P99_RATIO} ×, all 202`,
    isReached: ratio <= MOST_P99_RATIO && others.length === 0,
  };
}

function nameOf(name: string): string {
  return name === ('sqlite' satisfies Engine) ? 'SQLite' : 'PostgreSQL';
}

function refused(name: string, rounds: readonly Loaded[]): string[] {
  const others = rounds.flatMap(({ statuses }) =>
    Object.entries(statuses).filter(([status]) => status !== '202'),
  );
  return others.map(([status, count]) => `${name} answered ${count} with ${status}`);
}

function costs(
  contenders: readonly Contender[],
  rounds: Readonly<Record<string, readonly Accepted[]>>,
): string[] {
  const parts = contenders.map(({ name }) => {
    const cpuMs = measured((rounds[name] ?? []).map((one) => one.cpuMs * 1000));
    return `${name} ${shown(cpuMs, ' µs')}`;
  });
  return [`CPU time per delivery, with the work on its event: ${parts.join(', ')}`];
}

function shareOf(all: readonly Loaded[]): string {
  return `${Math.round(Math.max(...all.map((one) => one.generatorShare)) * 100)} %`;
}

function summaries(rounds: Readonly<Record<string, readonly Accepted[]>>) {
  return Object.fromEntries(
    Object.entries(rounds).map(([name, all]) => [
      name,
      all.map(({ latenciesMs, ...rest }) => ({
        ...rest,
        p50Ms: percentile(latenciesMs, 0.5),
        p99Ms: percentile(latenciesMs, 0.99),
        mostMs: Math.max(...latenciesMs),
      })),
    ]),
  );
}
