import { real } from './globals.ts';

const { planOf } = await import('./plan.ts');
const { runPlan } = await import('./run-seed.ts');
const from = Number(process.argv[2] ?? 1);
const to = Number(process.argv[3] ?? from);
const began = process.cpuUsage();
let bad = 0;
for (let seed = from; seed <= to; seed += 1) {
  const outcome = await runPlan(planOf(seed));
  if (outcome.problems.length > 0) bad += 1;
  process.stdout.write(
    `${seed} ${outcome.trace.slice(0, 12)} ${outcome.requests} ${outcome.problems.slice(0, 3).join(' | ').slice(0, 600)}\n`,
  );
  if (process.env['STORY'])
    process.stdout.write(`${outcome.story.join('\n')}\n${outcome.problems.join('\n')}\n`);
}
const used = process.cpuUsage(began);
process.stdout.write(
  `${bad} bad; ${((used.user + used.system) / 1000 / (to - from + 1)).toFixed(0)} ms a seed ${real.now()}\n`,
);
process.exit(0);
