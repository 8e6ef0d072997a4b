import { describe, expect, it } from 'vitest';
import type { HealthReport, HealthStatus } from '../../../src/services/health.ts';
import { AUTHORIZED, createTestServer, type Overrides } from './support.ts';

function report(status: HealthStatus): HealthReport {
  return {
    status,
    version: '1.2.3',
    uptimeSeconds: 60,
    checks: {
      attio: { status: 'unreachable', latencyMs: null, circuit: 'open', problem: 'check the token' },
      database: { status: 'ok', latencyMs: 0.4 },
      redis: null,
      inbox: { pending: 3, oldestAgeSeconds: 1.5, dead: 1 },
      outbox: { pending: 0, oldestAgeSeconds: 0, dead: 0 },
      changeWebhooks: { pending: 2, oldestAgeSeconds: 4, dead: 1, disabled: 1 },
    },
  };
}

function setUp(status: HealthStatus, access: NonNullable<Overrides['access']> = {}) {
  return createTestServer({ services: { health: { report: async () => report(status) } }, access });
}

const DEPLOYED = { trustLoopback: false, protectOperations: true };

describe('GET /health', () => {
  it('tells all to a key', async () => {
    const { app } = setUp('degraded', DEPLOYED);
    const response = await app.inject({ url: '/health', headers: AUTHORIZED });
    expect(response.statusCode).toBe(200);
    expect(response.json()).toEqual(report('degraded'));
  });

  it('tells the status alone without one, or with a wrong one', async () => {
    const { app } = setUp('ok', DEPLOYED);
    expect((await app.inject('/health')).json()).toEqual({ status: 'ok' });
    const wrong = await app.inject({ url: '/health', headers: { authorization: 'Bearer nope' } });
    expect(wrong.json()).toEqual({ status: 'ok' });
  });

  it('tells all to this machine in development, keys or not, and to no other', async () => {
    const { app } = setUp('ok');
    expect((await app.inject('/health')).json()).toEqual(report('ok'));
    const other = await app.inject({ url: '/health', remoteAddress: '10.0.0.7' });
    expect(other.json()).toEqual({ status: 'ok' });
  });

  it.each([
    ['ok', 200],
    ['degraded', 200],
    ['down', 503],
  ] as const)('is, for %s, %i', async (status, code) => {
    const { app } = setUp(status);
    const response = await app.inject('/health');
    expect(response.statusCode).toBe(code);
    expect(response.json().status).toBe(status);
    expect(response.headers['content-type']).toContain('application/json');
    expect(response.headers['retry-after'] !== undefined).toBe(code === 503);
  });
});

describe('the probes', () => {
  it('see a live process', async () => {
    const { app } = createTestServer();
    expect((await app.inject('/health/live')).json()).toEqual({ status: 'ok' });
  });

  it('see whether it makes sense to send requests', async () => {
    let ready = false;
    const { app } = createTestServer({
      services: {
        health: { ready: async () => (ready ? { ready } : { ready, reason: 'the service is starting' }) },
      },
    });
    const starting = await app.inject('/health/ready');
    expect(starting.statusCode).toBe(503);
    expect(starting.headers['retry-after']).toBeDefined();
    expect(starting.json().detail).toBe('the service is starting');
    ready = true;
    expect((await app.inject('/health/ready')).statusCode).toBe(200);
  });

  it('and metrics are answered on the way down, when all else is not', async () => {
    const { app, draining } = setUp('ok');
    draining.abort();
    for (const url of ['/health', '/health/live', '/health/ready', '/metrics']) {
      expect((await app.inject(url)).statusCode).toBe(200);
    }
    for (const url of ['/v1/contacts', '/nope', '/openapi.json', '/docs']) {
      const response = await app.inject({ url, headers: AUTHORIZED });
      expect(response.statusCode).toBe(503);
      expect(response.headers['retry-after']).toBe('5');
      expect(response.json().type).toBe('urn:attio-bridge:problem:draining');
    }
  });
});
