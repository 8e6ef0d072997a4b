import type { AppConfig } from '../../src/config.ts';

/** Long enough for a machine that stalls, short enough to wait for. */
export const LEASE_MS = 3_000;

export function shortLease(config: AppConfig): AppConfig {
  return { ...config, instances: { leaseMs: LEASE_MS, heartbeatMs: 500 } };
}
