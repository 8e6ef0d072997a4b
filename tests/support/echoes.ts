import type { AppConfig } from '../../src/config.ts';
import { openDatabase } from '../../src/store/database.ts';
import type { TestService } from './service.ts';

/** How long echoes wait for each other: long, where a machine that stands still must not change what is counted. */
export function gathering(gatherMs: number): (config: AppConfig) => AppConfig {
  return (config) => ({ ...config, echoes: { ...config.echoes, gatherMs } });
}

export type EchoCounts = Partial<Record<'suppressed' | 'near_miss' | 'expired', number>>;

/** What the events of an object have turned out to be. */
export async function echoCounts(service: TestService, object: string): Promise<EchoCounts> {
  const { body } = await service.get<string>('/metrics');
  const found = body.matchAll(/^echo_events_total\{object="([^"]+)",outcome="([^"]+)"\} (\d+)$/gm);
  const own = [...found].filter(([, of]) => of === object);
  return Object.fromEntries(own.map(([, , outcome, count]) => [outcome, Number(count)]));
}

/** What is remembered of our writes to a thing: the aspects. */
export async function remembered(service: TestService, attioId: string): Promise<string[]> {
  const database = openDatabase(service.env['DATABASE_URL'] ?? '');
  try {
    const rows = await database.selectFrom('echo').select('aspect').where('attio_id', '=', attioId).execute();
    return rows.map(({ aspect }) => aspect);
  } finally {
    await database.destroy();
  }
}
