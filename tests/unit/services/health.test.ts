import { describe, expect, test } from 'vitest';
import { type HealthDeps, HealthService } from '../../../src/services/health.ts';
import type { TokenState } from '../../../src/services/workspace.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

function build(overrides: Partial<HealthDeps> = {}) {
  const clock = new ManualClock();
  let token: TokenState = 'ok';
  let probes = 0;
  const health = new HealthService({
    version: '1.2.3',
    clock,
    workspace: {
      async check() {
        probes += 1;
        return token;
      },
      get token() {
        return token;
      },
      problem: null,
    },
    circuit: () => 'closed',
    forbiddenLately: () => false,
    redis: () => null,
    probeDatabase: async () => {},
    inboxStats: async () => ({ pending: 0, oldestReceivedAt: null }),
    outboxStats: async () => ({ pending: 0, oldestAcceptedAt: null }),
    pushStats: async () => null,
    deadLetters: async () => ({ inbox: 0, outbox: 0, notify: 0, automation: 0 }),
    probeEveryMs: 10_000,
    ...overrides,
  });
  return { clock, health, probes: () => probes, setToken: (state: TokenState) => (token = state) };
}

describe('health', () => {
  test('is ok when everything is', async () => {
    const { health } = build();
    expect(await health.report()).toMatchObject({
      status: 'ok',
      version: '1.2.3',
      checks: { attio: { status: 'ok', circuit: 'closed' }, database: { status: 'ok' }, redis: null },
    });
  });

  test('spends one request of Attio in ten seconds, however often it is asked', async () => {
    const { clock, health, probes } = build();
    for (let second = 0; second < 30; second += 1) {
      await Promise.all(Array.from({ length: 20 }, () => health.report()));
      await clock.advance(1_000);
    }
    expect(probes()).toBe(3);
  });

  test('answers within two seconds although Attio does not, and says so', async () => {
    const { clock, health } = build({
      workspace: { check: () => new Promise(() => {}), token: 'ok', problem: null },
    });
    const report = health.report();
    await clock.advance(2_000);
    expect(await report).toMatchObject({ status: 'degraded', checks: { attio: { status: 'unreachable' } } });
  });

  test('is down without a database that stores, and comes back with it', async () => {
    let broken = true;
    const { clock, health } = build({
      probeDatabase: async () => {
        if (broken) throw new Error('disk full');
      },
    });
    health.markStarted();
    expect(await health.report()).toMatchObject({ status: 'down', checks: { database: { status: 'down' } } });
    expect((await health.ready()).ready).toBe(false);
    broken = false;
    await clock.advance(1_000);
    expect((await health.report()).status).toBe('ok');
    expect((await health.ready()).ready).toBe(true);
  });

  test('is down when the database does not answer at all', async () => {
    const { clock, health } = build({ probeDatabase: () => new Promise(() => {}) });
    const report = health.report();
    await clock.advance(2_000);
    expect((await report).status).toBe('down');
  });

  test('names a refused token and how to mend it', async () => {
    const { health, setToken } = build();
    setToken('refused');
    const { status, checks } = await health.report();
    expect(status).toBe('degraded');
    expect(checks.attio.problem).toMatch(/ATTIO_API_KEY/);
  });

  test('is degraded while Attio forbids some of what is asked', async () => {
    const { health } = build({ forbiddenLately: () => true });
    const { status, checks } = await health.report();
    expect([status, checks.attio.status]).toEqual(['degraded', 'refused']);
  });

  test('is degraded, not down, without the Redis that it is to use', async () => {
    const redis = { status: 'down' as const, latencyMs: null };
    const { status, checks } = await build({ redis: () => redis }).health.report();
    expect([status, checks.redis]).toEqual(['degraded', redis]);
    const back = { status: 'ok' as const, latencyMs: 2 };
    expect((await build({ redis: () => back }).health.report()).status).toBe('ok');
  });

  test('tells how long the oldest event has been waiting', async () => {
    const { clock, health } = build({
      inboxStats: async () => ({ pending: 3, oldestReceivedAt: '2026-01-01T00:00:00.000Z' }),
    });
    await clock.advance(30_000);
    expect((await health.report()).checks.inbox).toEqual({ pending: 3, oldestAgeSeconds: 30, dead: 0 });
  });

  test('is not ready while it starts, nor while it stops', async () => {
    const { health } = build();
    expect(await health.ready()).toEqual({ ready: false, reason: 'the service is starting' });
    health.markStarted();
    expect(await health.ready()).toEqual({ ready: true });
    health.markDraining();
    expect(await health.ready()).toEqual({ ready: false, reason: 'the service is stopping' });
    await settle();
  });
});
