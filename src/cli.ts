import { setFlagsFromString } from 'node:v8';
import './compile-cache.js';

const { config: loadDotenv } = await import('dotenv');
const { main } = await import('./cli/main.ts');
const { processVariables } = await import('./config.ts');
setFlagsFromString('--semi-space-growth-factor=2');

loadDotenv({ quiet: true });

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

// Who reads the answer may have enough of it, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await main(process.argv.slice(2), {
  env: processVariables(),
  stdout: process.stdout,
  stderr: process.stderr,
  isTerminal: process.stdout.isTTY === true,
  signal: stop.signal,
});
