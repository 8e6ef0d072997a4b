/** The service as a process of its own, with a lease that tests can wait for. */
import { createApp } from '../../src/app.ts';
import { loadConfig, processVariables } from '../../src/config.ts';
import { shortLease } from './several.ts';

const config = shortLease(loadConfig(processVariables()));
const pageSize = process.env['TEST_PAGE_SIZE'];
const sync =
  pageSize === undefined ? config.sync : { ...config.sync, pageSize: Number(pageSize), overlap: 2, width: 1 };
const app = createApp({ ...config, sync });
process.on('SIGTERM', () => void app.stop());
await app.start();
