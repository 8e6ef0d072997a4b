/**
 * Three instances on one PostgreSQL and one Redis, killed, paused and left without their servers again and again while
 * they are under load. Afterwards everything that was accepted must have had its effect in Attio and in the mirror,
 * once and in order.
 */
import { appendFileSync, mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { PrivatePostgres, serverPrograms } from '../support/private-postgres.ts';
import { PrivateRedis } from '../support/private-redis.ts';
import { type Audit, audit } from './drill/audit.ts';
import { Disturbances } from './drill/disturbances.ts';
import { Load } from './drill/load.ts';
import { type Servers, type Stage, setStage } from './drill/stage.ts';
import { tableOf } from './drill/table.ts';

const HELP = `npm run drill -- [flags]
  --times <n>        runs one after the other, with a table at the end (1)
  --seconds <n>      under load, each (60)
  --deliveries <n>   a second (200)
  --upserts <n>      a second (20)
  --instances <n>    (3)
  --logs <dir>       keeps there what the instances log
An instance is killed every 5 s, two are paused past their lease; PostgreSQL crashes once and is restarted once; Redis is
away for 20 s: killed, every other time frozen. PostgreSQL and Redis are the drill's own.
`;

const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '60' },
    deliveries: { type: 'string', default: '200' },
    upserts: { type: 'string', default: '20' },
    instances: { type: 'string', default: '3' },
    logs: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
const seconds = Number(values.seconds);
const rates = { deliveries: Number(values.deliveries), upserts: Number(values.upserts) };

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}

type Row = Readonly<Record<string, string | number>>;

async function play(stage: Stage, round: number): Promise<{ row: Row; found: Audit }> {
  const load = new Load(stage);
  const disturbances = new Disturbances(stage, round);
  const startedAt = Date.now();
  await Promise.all([load.run(startedAt + seconds * 1_000, rates), disturbances.run(seconds)]);
  const acceptedAfter = (Date.now() - startedAt) / 1_000;
  const found = await audit(stage, load);
  const settledAfter = (Date.now() - startedAt) / 1_000;
  const row = {
    run: round + 1,
    deliveries: load.deliveries.size,
    upserts: load.upserts,
    notes: load.notes,
    'a second': `${(load.deliveries.size / seconds).toFixed(0)} + ${(load.upserts / seconds).toFixed(1)}`,
    kills: disturbances.kills,
    pauses: disturbances.pauses,
    restarts: disturbances.restarts,
    'Redis stops': disturbances.redisStops,
    unanswered: load.unanswered,
    'answered 503': load.refused,
    'accepted, s': acceptedAfter.toFixed(0),
    'settled, s': settledAfter.toFixed(0),
    'Attio requests': found.requests,
    'answered 429': `${((100 * found.limited) / found.requests).toFixed(2)} %`,
    lost: found.lost.length,
    twice: found.twice.length,
    'out of order': found.outOfOrder.length,
    'mirror differs': found.differences.length,
    'other faults': found.others.length,
  };
  return { row, found };
}

let stage: Stage | null = null;

async function run(servers: Servers, round: number): Promise<{ row: Row; faults: string[] }> {
  stage = await setStage(servers, Number(values.instances), values.logs === undefined ? 'silent' : 'info');
  try {
    const { row, found } = await play(stage, round);
    const { lost, twice, outOfOrder, differences, others } = found;
    return { row, faults: [lost, twice, outOfOrder, differences, others].flat() };
  } finally {
    await stage[Symbol.asyncDispose]();
    if (values.logs !== undefined) {
      mkdirSync(values.logs, { recursive: true });
      for (const [index, { log }] of stage.instances.entries())
        appendFileSync(`${values.logs}/${round + 1}-${index + 1}.log`, log);
    }
  }
}

async function main(): Promise<boolean> {
  await using stack = new AsyncDisposableStack();
  const programs = serverPrograms();
  const postgres = programs === null ? null : stack.use(await PrivatePostgres.start(programs));
  if (postgres === null)
    say('There is no initdb here: PostgreSQL is a shared one, whose connections are only cut.');
  const redis = stack.use(await PrivateRedis.start());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, async () => {
      await stage?.[Symbol.asyncDispose]().catch(() => {});
      await stack.disposeAsync();
      process.exit(130);
    });
  }
  const rows: Row[] = [];
  let faults = 0;
  for (let round = 0; round < Number(values.times); round += 1) {
    const result = await run({ postgres, redis }, round);
    rows.push(result.row);
    faults += result.faults.length;
    say(JSON.stringify(result.row));
    for (const fault of result.faults.slice(0, 20)) say(`FAULT ${fault}`);
  }
  say(tableOf(rows));
  say(faults === 0 ? 'Nothing was lost, nothing was done twice, all in order.' : `${faults} faults.`);
  return faults === 0;
}

if (values.help === true) say(HELP);
else process.exitCode = (await main()) ? 0 : 1;
