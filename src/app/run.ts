import { flushCompileCache } from 'node:module';
import { config as loadDotenv } from 'dotenv';
import { createApp } from '../app.ts';
import { ConfigError, loadConfig, processVariables } from '../config.ts';
import { StorageUnavailableError } from '../domain/storage.ts';
import { lockFile } from '../store/file-lock.ts';

/** All of a stop; the work that is cut off is durable, and taken up at the next start. */
const STOP_LIMIT_MS = 9_000;

/** The service as a process, until it is told to stop. */
export async function runService(): Promise<void> {
  loadDotenv({ quiet: true });
  try {
    await startService();
  } catch (error) {
    process.exitCode = 1;
    // What the system or the database says of a port, a path or itself needs no stack; a fault of ours does.
    if (!(error instanceof ConfigError || error instanceof StorageUnavailableError || hasCode(error)))
      throw error;
    process.stderr.write(`The service cannot start. ${error.message}\n`);
  }
}

async function startService(): Promise<void> {
  const config = loadConfig(processVariables());
  const lock = lockFile(config.database.url);
  process.on('exit', () => lock?.[Symbol.dispose]());
  const app = await createApp(config);
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(0), STOP_LIMIT_MS).unref();
    void app.stop();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await app.start();
  // Now, because a process that is killed would leave nothing for the next start.
  flushCompileCache();
}

function hasCode(error: unknown): error is Error {
  return error instanceof Error && 'code' in error;
}
