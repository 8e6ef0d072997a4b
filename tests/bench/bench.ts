/** `npm run bench [-- <name> [options]]`: all, or one. Exit code 1 when what a benchmark looks at is wrong. */
import { benchChanges } from './changes.ts';

const BENCHES: Readonly<Record<string, (argv: readonly string[]) => Promise<boolean>>> = {
  changes: benchChanges,
};

const [name, ...argv] = process.argv.slice(2);
const chosen = name === undefined ? Object.keys(BENCHES) : [name];
for (const one of chosen) {
  const bench = BENCHES[one];
  if (bench === undefined) {
    process.stderr.write(`There is no benchmark "${one}". There are: ${Object.keys(BENCHES).join(', ')}.\n`);
    process.exitCode = 1;
  } else if (!(await bench(argv))) {
    process.exitCode = 1;
  }
}
