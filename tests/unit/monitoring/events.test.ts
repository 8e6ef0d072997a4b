import { describe, expect, it } from 'vitest';
import type { AttioObserver } from '../../../src/attio/observer.ts';
import { NO_COUNTS, type SyncRun } from '../../../src/domain/sync-runs.ts';
import { Events } from '../../../src/monitoring/events.ts';
import { createLogger } from '../../../src/monitoring/logger.ts';
import { createMetrics } from '../../../src/monitoring/metrics.ts';
import type { SyncEvents } from '../../../src/services/ports.ts';
import type { InboxEvents } from '../../../src/webhooks/ports.ts';

const RUN: SyncRun = {
  ...NO_COUNTS,
  runId: 'run-1',
  object: 'people',
  status: 'succeeded',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: null,
  error: null,
  force: false,
  parentRunId: null,
};

function setUp(write?: (line: string) => void) {
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({
    name: 'test',
    level: 'debug',
    destination: { write: write ?? ((line) => lines.push(JSON.parse(line))) },
  });
  const metrics = createMetrics({
    probe: async () => ({
      inboxPending: 0,
      outboxPending: 0,
      automationsPending: 0,
      conflictsOpen: 0,
      instances: 3,
      changeDeliveriesPending: 0,
      changeWebhooksDisabled: 0,
      deadLetters: { inbox: 0, outbox: 0, notify: 0, automation: 0 },
    }),
  });
  const events = new Events({ logger, metrics });
  return { events, lines, metrics };
}

describe('events', () => {
  it('are told by what the layers declare', () => {
    const { events } = setUp();
    // The compiler checks the fit.
    const fits: SyncEvents & AttioObserver & InboxEvents = events;
    expect(fits).toBe(events);
  });

  it('count and log records by what a read of them led to', async () => {
    const { events, lines, metrics } = setUp();
    events.recordsSettled('people', 'created', 40);
    events.recordsSettled('people', 'created', 2);
    events.recordsSettled('people', 'invalid', 1);
    expect(await metrics.text()).toContain('sync_records_total{object="people",outcome="created"} 42');
    expect(lines.map((line) => line['level'])).toEqual([20, 20, 40]);
    expect(lines[0]).toMatchObject({ component: 'sync', object: 'people', outcome: 'created', count: 40 });
  });

  it('tell a failed run as an error, with its reason', () => {
    const { events, lines } = setUp();
    events.runStarted(RUN, false);
    events.runStarted(RUN, true);
    events.runFinished({ ...RUN, status: 'failed', error: 'would delete too much', seen: 9 });
    expect(lines.map((line) => line['msg'])).toEqual([
      'full sync started',
      'full sync taken up again',
      'full sync failed',
    ]);
    expect(lines.at(-1)).toMatchObject({
      level: 50,
      reason: 'would delete too much',
      runId: 'run-1',
      seen: 9,
    });
  });

  it('show the circuits as numbers', async () => {
    const { events, metrics } = setUp();
    events.circuitChanged({ lane: 'writes', state: 'open' });
    expect(await metrics.text()).toMatch(/^attio_circuit_state\{circuit="writes"\} 2$/m);
    events.circuitChanged({ lane: 'writes', state: 'half-open' });
    expect(await metrics.text()).toMatch(/^attio_circuit_state\{circuit="writes"\} 1$/m);
    events.circuitChanged({ lane: 'writes', state: 'closed' });
    expect(await metrics.text()).toMatch(/^attio_circuit_state\{circuit="writes"\} 0$/m);
  });

  it('count attempts at requests, retries and waits in seconds', async () => {
    const { events, metrics } = setUp();
    events.requestFinished({ endpoint: 'GET /self', status: 200, durationMs: 1500 });
    events.requestFinished({ endpoint: 'GET /self', status: 'timeout', durationMs: 10_000 });
    events.retried({ endpoint: 'GET /self', reason: 'timeout', waitMs: 250 });
    events.laneWaited({ lane: 'query', ms: 500 });
    const text = await metrics.text();
    expect(text).toContain('attio_requests_total{endpoint="GET /self",status="200"} 1');
    expect(text).toContain('attio_requests_total{endpoint="GET /self",status="timeout"} 1');
    expect(text).toContain('attio_request_duration_seconds_sum{endpoint="GET /self"} 11.5');
    expect(text).toContain('attio_retries_total{reason="timeout"} 1');
    expect(text).toContain('attio_rate_limit_wait_seconds_sum{lane="query"} 0.5');
  });

  it.each([
    [{ accepted: 1, duplicates: 0, quarantined: 0 }, 'accepted'],
    [{ accepted: 1, duplicates: 0, quarantined: 1 }, 'accepted'],
    [{ accepted: 0, duplicates: 2, quarantined: 0 }, 'duplicate'],
    [{ accepted: 0, duplicates: 0, quarantined: 1 }, 'quarantined'],
    [{ accepted: 0, duplicates: 0, quarantined: 0 }, 'accepted'],
  ])('count a delivery of %j as %s', async (result, name) => {
    const { events, metrics } = setUp();
    events.deliveryAccepted(result);
    expect(await metrics.text()).toContain(`webhook_deliveries_total{result="${name}"} 1`);
  });

  it('fold event types from outside that are not known into one label', async () => {
    const { events, metrics } = setUp();
    events.eventSettled('record.updated', 'done', 0.2);
    for (let n = 0; n < 100; n += 1) events.eventSettled(`made.up.${n}`, 'unhandled', -1);
    events.eventRetried('made.up', 1, new Error('later'));
    events.eventBuried('made.up', 'attempts_exhausted');
    const text = await metrics.text();
    expect(text).toContain('webhook_events_total{type="record.updated",outcome="done"} 1');
    expect(text).toContain('webhook_events_total{type="unknown",outcome="unhandled"} 100');
    expect(text).toContain('webhook_events_total{type="unknown",outcome="retried"} 1');
    expect(text).toContain('webhook_events_total{type="unknown",outcome="buried"} 1');
    expect(text).not.toContain('made.up');
    expect(text).toContain('inbox_lag_seconds_sum 0.2');
  });

  it('count reads through caches', async () => {
    const { events, metrics } = setUp();
    events.cacheRead({ cache: 'record', tier: 'memory', result: 'STALE' });
    expect(await metrics.text()).toContain(
      'cache_requests_total{cache="record",tier="memory",result="stale"} 1',
    );
  });

  it('never throw, even when nothing can be logged', async () => {
    const { events, metrics } = setUp(() => {
      throw new Error('disk full');
    });
    events.runStarted(RUN, false);
    events.runProgressed(RUN);
    events.workspaceMismatch('a', 'b');
    events.tokenRefused('inactive');
    events.unexpected('somewhere', new Error('x'));
    events.deliveryRejected('bad_signature');
    events.inboxPaused(1000, 'outage');
    expect(await metrics.text()).toContain('webhook_deliveries_total{result="bad_signature"} 1');
  });
});
