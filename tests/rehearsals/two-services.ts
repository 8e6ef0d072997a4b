/**
 * Two services with a database each write to the same people of one workspace for a while; then it is measured how long
 * it takes until nothing more is asked of Attio, and whether all three agree. Exit code 0 when they do, within 5 s.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ENGINE } from '../support/engines.ts';
import { TwoServices } from '../support/two-services.ts';

const HELP = `npm run two-services -- [flags]
  --seconds <n>      how long both write (60)
  --per-second <n>   writes of each service (4)
  --lanes <n>        writes of each service that are under way at once (1)
  --people <n>       whom both write to (8)
  --latency-ms <n>   every answer of Attio is this late (0)
  --seed <n>         of what is written (1)
  --tokens <n>       1: both use the same; 2: one each (1)
TEST_ENGINE=postgres runs it on PostgreSQL.
`;

const QUIET_WITHIN_MS = 5_000;
/** How long it is watched that nothing more comes. */
const WATCHED_MS = 10_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    'per-second': { type: 'string', default: '4' },
    lanes: { type: 'string', default: '1' },
    people: { type: 'string', default: '8' },
    'latency-ms': { type: 'string', default: '0' },
    seed: { type: 'string', default: '1' },
    tokens: { type: 'string', default: '1' },
    help: { type: 'boolean', short: 'h' },
  },
});

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}

async function main(): Promise<boolean> {
  const [seconds, perSecond] = [Number(values.seconds), Number(values['per-second'])];
  const emails = Array.from({ length: Number(values.people) }, (_, index) => `person${index}@two.example`);
  await using two = await TwoServices.start({
    sharesToken: values.tokens === '1',
    seed: Number(values.seed),
    latencyMs: Number(values['latency-ms']),
  });
  say(`Two services (${ENGINE}) write to the same ${emails.length} people for ${seconds} s.`);
  const start = Date.now();
  const end = start + seconds * 1000;
  const paced = async (turn: number) => {
    await sleep(Math.max(0, start + (turn * 1000) / perSecond - Date.now()));
    return Date.now() < end;
  };
  const written = await two.fight(emails as [string, ...string[]], paced, Number(values.lanes));
  const lastEdit = Date.now();
  const answers = [...two.answers].map(([answer, count]) => `${count} × ${answer.trim()}`).join(', ');
  say(`${written} writes: ${answers}`);
  await sleep(WATCHED_MS);
  await two.quiet();
  const requests = two.recordRequests();
  const after = requests.filter(({ at }) => at > lastEdit);
  const late = after.filter(({ at }) => at > lastEdit + QUIET_WITHIN_MS);
  const last = Math.max(lastEdit, ...after.map(({ at }) => at));
  say(`Requests to Attio about records: ${counted(requests)}, ${perWrite(requests, written)} a write.`);
  say(`After the last edit: ${counted(after)}, the last after ${((last - lastEdit) / 1000).toFixed(1)} s.`);
  say(`From 5 s after it on, watched for ${WATCHED_MS / 1000 - 5} s: ${counted(late)}.`);
  const differences = await two.differences(emails);
  for (const difference of differences.slice(0, 20)) say(`  differs: ${difference.join(' | ')}`);
  const doubles = emails.filter((email) => two.recordsWith(email) > 1);
  say(
    differences.length + doubles.length === 0
      ? 'Both databases and Attio are equal, field by field, and nobody is there twice.'
      : `${differences.length} differences; ${doubles.length} people are there twice.`,
  );
  return late.length + differences.length + doubles.length === 0;
}

type Counted = readonly { readonly isRead: boolean }[];

function counted(requests: Counted): string {
  const reads = requests.filter(({ isRead }) => isRead).length;
  return `${reads} reads, ${requests.length - reads} writes`;
}

function perWrite(requests: Counted, written: number): string {
  const reads = requests.filter(({ isRead }) => isRead).length;
  return `${(reads / written).toFixed(2)} reads and ${((requests.length - reads) / written).toFixed(2)} writes`;
}

if (values.help === true) say(HELP);
else process.exitCode = (await main()) ? 0 : 1;
