import { type AppConfig, loadConfig } from '../../src/config.ts';

export const API_KEY = 'simulated-key';

export type SimulatedConfig = AppConfig;

/** Production's settings, with pages so short that a few records fill several. */
export function configOf(secret: string): SimulatedConfig {
  const config = loadConfig({
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '3000',
    LOG_LEVEL: 'warn',
    ATTIO_API_KEY: 'simulated-token',
    ATTIO_BASE_URL: 'http://attio.example/v2',
    ATTIO_WEBHOOK_SECRET: secret,
    SERVICE_API_KEYS: API_KEY,
    DATABASE_URL: 'sqlite::memory:',
  });
  return { ...config, sync: { ...config.sync, pageSize: 4, overlap: 1, width: 2 } };
}
