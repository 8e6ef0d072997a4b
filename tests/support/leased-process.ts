/** The service as a process of its own, with a lease that tests can wait for. */
import { createApp } from '../../src/app.ts';
import { loadConfig, processVariables } from '../../src/config.ts';
import { shortLease } from './several.ts';

const config = shortLease(loadConfig(processVariables()));
const pageSize = Number(process.env['TEST_PAGE_SIZE'] ?? config.sync.pageSize);
const app = createApp({
  ...config,
  sync: { ...config.sync, pageSize, overlap: Math.min(2, config.sync.overlap), width: 1 },
});
process.on('SIGTERM', () => void app.stop());
await app.start();
