/**
 * The service as a process, with one automation that never ends: it writes down whose run has begun, so that a test can
 * kill the process in the middle of it. Started by `automations.test.ts`.
 */
import { appendFileSync } from 'node:fs';
import { createApp } from '../../src/app.ts';
import { loadConfig, processVariables } from '../../src/config.ts';
import { on } from '../../src/services/automations/automation.ts';
import { automated } from './automations.ts';

const [begunPath = '', timeoutMs = ''] = process.argv.slice(2);

const unending = on('record.updated', {
  name: 'survivor',
  async run({ event }) {
    appendFileSync(begunPath, `${event.ids['record_id']}\n`);
    await new Promise(() => {});
  },
});

const configure = automated({ timeoutMs: Number(timeoutMs) });
await createApp(configure(loadConfig(processVariables())), { automations: [unending] }).start();
