import { describe, expect, it } from 'vitest';
import { createMetrics, type GaugeReadings } from '../../../src/monitoring/metrics.ts';

const READINGS: GaugeReadings = {
  inboxPending: 7,
  outboxPending: 0,
  automationsPending: 4,
  conflictsOpen: 1,
  instances: 3,
  changeDeliveriesPending: 5,
  changeWebhooksDisabled: 1,
  deadLetters: { inbox: 2, outbox: 0, notify: 3, automation: 0 },
};

describe('the metrics', () => {
  it('have every name that is promised', async () => {
    const text = await createMetrics({ probe: async () => READINGS }).text();
    for (const name of [
      'attio_requests_total',
      'attio_request_duration_seconds',
      'attio_retries_total',
      'attio_circuit_state',
      'attio_rate_limit_wait_seconds',
      'cache_requests_total',
      'webhook_deliveries_total',
      'webhook_events_total',
      'inbox_pending',
      'outbox_pending',
      'automations_pending',
      'automation_runs_total',
      'inbox_lag_seconds',
      'sync_records_total',
      'conflicts_open',
      'change_deliveries_total',
      'change_delivery_lag_seconds',
      'change_deliveries_pending',
      'change_webhooks_disabled',
      'dead_letters',
      'http_request_duration_seconds',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_seconds',
    ]) {
      expect(text).toContain(`# TYPE ${name} `);
    }
  });

  it('ask the probe once per scrape', async () => {
    let asked = 0;
    const metrics = createMetrics({
      probe: async () => {
        asked += 1;
        return { ...READINGS, inboxPending: asked };
      },
    });
    expect(await metrics.text()).toMatch(/^inbox_pending 1$/m);
    const text = await metrics.text();
    expect(asked).toBe(2);
    expect(text).toMatch(/^inbox_pending 2$/m);
    expect(text).toMatch(/^conflicts_open 1$/m);
    expect(text).toMatch(/^dead_letters\{kind="notify"\} 3$/m);
  });

  it.each([
    ['rejects', () => Promise.reject(new Error('no database'))],
    [
      'throws',
      () => {
        throw new Error('no database');
      },
    ],
  ])('leave out what the probe does not know when it %s, and know it again later', async (_how, fail) => {
    let working = true;
    const metrics = createMetrics({ probe: () => (working ? Promise.resolve(READINGS) : fail()) });
    await metrics.text();
    working = false;
    const text = await metrics.text();
    expect(text).not.toMatch(/^(inbox_pending|dead_letters\{.*\}) /m);
    expect(text).toMatch(/^attio_circuit_state\{circuit="reads"\} 0$/m);
    working = true;
    expect(await metrics.text()).toMatch(/^inbox_pending 7$/m);
  });

  it('of two services in one process are apart', async () => {
    const one = createMetrics({ probe: async () => READINGS });
    const two = createMetrics({ probe: async () => READINGS });
    one.attioRetries.inc({ reason: 'timeout' });
    expect(await one.text()).toContain('attio_retries_total{reason="timeout"} 1');
    expect(await two.text()).not.toContain('reason="timeout"');
  });

  it('count each set of labels once, however often they are looked at', async () => {
    const metrics = createMetrics({ probe: async () => READINGS });
    metrics.cacheRequests.inc({ cache: 'record', tier: 'memory', result: 'hit' });
    await metrics.text();
    metrics.cacheRequests.inc({ cache: 'record', tier: 'memory', result: 'hit' });
    metrics.cacheRequests.inc({ cache: 'record', tier: 'memory', result: 'miss' }, 3);
    for (let look = 0; look < 2; look += 1) {
      const text = await metrics.text();
      expect(text).toContain('cache_requests_total{cache="record",tier="memory",result="hit"} 2\n');
      expect(text).toContain('cache_requests_total{cache="record",tier="memory",result="miss"} 3\n');
    }
  });

  it('tell how long requests took, by route and status', async () => {
    const metrics = createMetrics({ probe: async () => READINGS });
    for (const seconds of [0.005, 0.02, 60]) {
      metrics.requestServed({ method: 'GET', route: '/a/:id', status: 200, seconds });
    }
    metrics.requestServed({ method: 'GET', route: '/a/:id', status: 404, seconds: 0.5 });
    const text = await metrics.text();
    const of = 'method="GET",route="/a/:id",status="200"';
    for (const [le, count] of [
      ['0.005', 1],
      ['0.01', 1],
      ['0.025', 2],
      ['30', 2],
      ['+Inf', 3],
    ]) {
      expect(text).toContain(`http_request_duration_seconds_bucket{le="${le}",${of}} ${count}\n`);
    }
    expect(text).toMatch(/^http_request_duration_seconds_sum\{.*status="200"\} 60\.025$/m);
    expect(text).toContain(`http_request_duration_seconds_count{${of}} 3\n`);
    expect(text).toMatch(/^http_request_duration_seconds_count\{.*status="404"\} 1$/m);
  });
});
