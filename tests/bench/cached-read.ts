/** What does a read of a cached record cost? Beside a bare route that serves the same bytes; and a stampede on a cold one. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freshDatabase } from '../support/engines.ts';
import { Attio } from './support/attio.ts';
import { defineBench } from './support/bench.ts';
import { BenchService } from './support/bench-service.ts';
import { bodyOf, Connection, closedLoad, type Loaded, requestBytes } from './support/http-load.ts';
import { startReference } from './support/reference.ts';
import { scratchDirectory } from './support/scratch.ts';
import { alternate, measured, shown } from './support/statistics.ts';

const LEAST_RATIO = 0.6;
const CONNECTIONS_PER_TURN = 100;

interface Turn extends Loaded {
  readonly perSecond: number;
  /** @unit µs */
  readonly cpuPerRead: number;
}

export const cachedRead = defineBench({
  name: 'cached-read',
  question: 'reads of a cached record per second',
  sizes: {
    reads: [20_000, 4_000],
    connections: [32, 32],
    rounds: [7, 3],
    stampede: [1_000, 1_000],
    'latency-ms': [150, 150],
  },
  async run({ sizes, engine, profiles, say }) {
    await using stack = new AsyncDisposableStack();
    const scratch = stack.use(await scratchDirectory());
    const attio = stack.use(await Attio.start({ people: 10, latencyMs: sizes['latency-ms'] }));
    const [warm = '', cold = ''] = await attio.people(2);
    const database = stack.use(await freshDatabase(engine));
    const service = stack.use(
      await BenchService.start({ databaseUrl: database.url, attioUrl: attio.url, profiles }),
    );
    await service.confirmed();
    const read = (id: string) => requestBytes('GET', `/v1/records/people/${id}`, service.authorization);
    const answer = await once(service.port, read(warm));
    const path = join(scratch.path, 'record.json');
    await writeFile(path, bodyOf(answer));
    const bare = stack.use(await startReference('bare-bytes.ts', [path]));
    if (!bodyOf(await once(bare.port, read(warm))).equals(bodyOf(answer)))
      throw new Error('the bytes are not the same');

    const turn = async (process: { usage(): Promise<{ cpuMs: number }> }, port: number): Promise<Turn> => {
      const requests = Array.from({ length: sizes.reads }, () => read(warm));
      const before = await process.usage();
      const loaded = await closedLoad(port, requests, sizes.connections);
      const after = await process.usage();
      const cpuPerRead = ((after.cpuMs - before.cpuMs) * 1000) / sizes.reads;
      return { ...loaded, perSecond: sizes.reads / loaded.seconds, cpuPerRead };
    };
    say(`cached-read: ${sizes.rounds} rounds of ${sizes.reads} reads over ${sizes.connections} connections`);
    const found = await alternate(sizes.rounds + 1, {
      bare: () => turn(bare.process, bare.port),
      service: () => turn(service.process, service.port),
    });
    // The first round warms up.
    const [ours, theirs] = [found.service.slice(1), found.bare.slice(1)];
    const rate = measured(ours.map((one) => one.perSecond));
    const reference = measured(theirs.map((one) => one.perSecond));

    await attio.forget();
    const statuses = await stampede(service.port, read(cold), sizes.stampede);
    const asked = (await attio.asked()).filter(({ route }) =>
      route.startsWith('GET /v2/objects/people/records/'),
    );
    const all = [...found.service, ...found.bare];
    return {
      lines: [
        {
          what: `cached reads/s of ${answer.bytes.length} bytes`,
          figure: shown(rate, '/s'),
          reference: `bare route ${shown(reference, '/s')}`,
          ratio: rate.median / reference.median,
          target: `≥ ${LEAST_RATIO} ×`,
          isReached: rate.median >= LEAST_RATIO * reference.median,
        },
        {
          what: `stampede of ${sizes.stampede} on a cold record`,
          figure: `${asked.length} request${asked.length === 1 ? '' : 's'} to Attio`,
          reference: null,
          ratio: null,
          target: '1 request',
          isReached: asked.length === 1,
        },
      ],
      notes: [
        `CPU time per read ${shown(measured(ours.map((one) => one.cpuPerRead)), ' µs')}; bare route ${shown(measured(theirs.map((one) => one.cpuPerRead)), ' µs')}`,
        `the load generator used at most ${Math.round(Math.max(...all.map((one) => one.generatorShare)) * 100)} % of a core`,
      ],
      wrong: [
        ...all.flatMap((one) =>
          one.statuses[200] === sizes.reads ? [] : [`answers: ${JSON.stringify(one.statuses)}`],
        ),
        ...(statuses.every((status) => status === 200)
          ? []
          : [`the stampede got ${[...new Set(statuses)].join(', ')}`]),
      ],
      samples: Object.fromEntries(
        Object.entries(found).map(([name, turns]) => [
          name,
          turns.map(({ latenciesMs: _, ...rest }) => rest),
        ]),
      ),
    };
  },
});

async function once(port: number, request: Buffer) {
  const connection = await Connection.open(port);
  const answer = await connection.send(request);
  connection.close();
  if (answer.status !== 200) throw new Error(`a read was answered with ${answer.status}`);
  return answer;
}

/** All connections are open before the first request leaves. */
async function stampede(port: number, request: Buffer, count: number): Promise<number[]> {
  const connections: Connection[] = [];
  while (connections.length < count) {
    const some = Math.min(CONNECTIONS_PER_TURN, count - connections.length);
    connections.push(...(await Promise.all(Array.from({ length: some }, () => Connection.open(port)))));
  }
  const answers = await Promise.all(connections.map((connection) => connection.send(request)));
  for (const connection of connections) connection.close();
  return answers.map(({ status }) => status);
}
