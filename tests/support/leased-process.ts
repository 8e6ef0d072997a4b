/** The service as a process of its own, with a lease that tests can wait for. */
import '../../src/compile-cache.js';
import { flushCompileCache } from 'node:module';

// After that, as in `src/start.js`: instances are started again and again.
const { createApp } = await import('../../src/app.ts');
const { loadConfig, processVariables } = await import('../../src/config.ts');
const { shortLease } = await import('./short-lease.ts');

const config = shortLease(loadConfig(processVariables()));
const pageSize = process.env['TEST_PAGE_SIZE'];
const sync =
  pageSize === undefined ? config.sync : { ...config.sync, pageSize: Number(pageSize), overlap: 2, width: 1 };
const app = createApp({ ...config, sync });
process.on('SIGTERM', () => void app.stop());
await app.start();
flushCompileCache();
