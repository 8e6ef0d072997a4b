import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { DeadLetterKind } from '../domain/dead-letters.ts';
import { TalliedCounter, TalliedHistogram } from './tallies.ts';

/** What is counted by asking, at each scrape. */
export interface GaugeReadings {
  readonly inboxPending: number;
  readonly outboxPending: number;
  readonly automationsPending: number;
  readonly conflictsOpen: number;
  /** That Attio's limits are divided by while there is no common plan. */
  readonly instances: number;
  readonly changeDeliveriesPending: number;
  readonly changeWebhooksDisabled: number;
  readonly deadLetters: Readonly<Record<DeadLetterKind, number>>;
}

export interface MetricsDeps {
  /** Asked once per scrape. While it fails, its gauges have no value and the others are told all the same. */
  readonly probe: () => Promise<GaugeReadings>;
}

/** Seconds. */
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const WAIT_BUCKETS = [0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];
const LAG_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21_600, 86_400];

/** All metrics, in a registry of their own. Labels have few values: templates and kinds, never ids or names. */
export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(deps: MetricsDeps) {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  watchGauges(registry, deps.probe);
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new TalliedCounter({ name, help, labelNames, registry });
  const histogram = <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    buckets: number[],
  ) => new Histogram({ name, help, labelNames, buckets, registers });

  const httpRequestSeconds = new TalliedHistogram({
    name: 'http_request_duration_seconds',
    help: 'Duration of requests to this service',
    labelNames: ['method', 'route', 'status'],
    bounds: REQUEST_BUCKETS,
  });

  return {
    /** Of `text()`. */
    contentType: registry.contentType,
    /** In Prometheus' text format. */
    text: async () => (await registry.metrics()) + httpRequestSeconds.text(),
    attioRequests: counter('attio_requests_total', 'Attempts at requests to Attio', ['endpoint', 'status']),
    attioRequestSeconds: histogram(
      'attio_request_duration_seconds',
      'Duration of one attempt at a request to Attio',
      ['endpoint'],
      REQUEST_BUCKETS,
    ),
    attioRetries: counter('attio_retries_total', 'Attempts that were followed by another', ['reason']),
    attioCircuitState: circuitGauge(registry),
    attioRateLimitWaitSeconds: histogram(
      'attio_rate_limit_wait_seconds',
      'How long requests to Attio waited for their turn',
      ['lane'],
      WAIT_BUCKETS,
    ),
    attioRateLimitShared: sharedGauge(registry),
    cacheRequests: counter('cache_requests_total', 'Reads through a cache', ['cache', 'tier', 'result']),
    webhookDeliveries: counter('webhook_deliveries_total', 'Deliveries to /webhooks', ['result']),
    webhookEvents: counter('webhook_events_total', 'Webhook events by what became of them', [
      'type',
      'outcome',
    ]),
    inboxLagSeconds: histogram(
      'inbox_lag_seconds',
      'From the receipt of a webhook event until it was settled',
      [],
      LAG_BUCKETS,
    ),
    outboxWrites: counter('outbox_writes_total', 'Writes to Attio by what became of them', [
      'object',
      'outcome',
    ]),
    outboxLagSeconds: histogram(
      'outbox_lag_seconds',
      'From the acceptance of a write until it was settled',
      [],
      LAG_BUCKETS,
    ),
    conflicts: counter('conflicts_total', 'Fields that both sides had changed, by whose value stands', [
      'object',
      'decided',
    ]),
    echoes: counter('echo_events_total', 'Webhook events of what we have written, by what they brought', [
      'object',
      'outcome',
    ]),
    automationRuns: counter('automation_runs_total', 'Runs of automations by how they ended', [
      'automation',
      'outcome',
    ]),
    changeDeliveries: counter('change_deliveries_total', 'Attempts at pushing a change by how they ended', [
      'outcome',
    ]),
    changeDeliveryLagSeconds: histogram(
      'change_delivery_lag_seconds',
      'From a change until it was pushed',
      [],
      LAG_BUCKETS,
    ),
    syncRecords: counter('sync_records_total', 'Records by what a read of them led to', [
      'object',
      'outcome',
    ]),
    /** @param served.route the template of the path */
    requestServed(served: { method: string; route: string; status: number; seconds: number }): void {
      const { method, route, status, seconds } = served;
      httpRequestSeconds.observe({ method, route, status }, seconds);
    },
  };
}

function circuitGauge(registry: Registry): Gauge<'circuit'> {
  const gauge = new Gauge({
    name: 'attio_circuit_state',
    help: 'Circuit to Attio: 0 closed, 1 half-open, 2 open',
    labelNames: ['circuit'] as const,
    registers: [registry],
  });
  gauge.set({ circuit: 'reads' }, 0);
  gauge.set({ circuit: 'writes' }, 0);
  return gauge;
}

function sharedGauge(registry: Registry): Gauge<'lane'> {
  const gauge = new Gauge({
    name: 'attio_rate_limit_shared',
    help: 'Whether turns are planned for all instances together (1), or each keeps to a share of its own (0)',
    labelNames: ['lane'] as const,
    registers: [registry],
  });
  gauge.set({ lane: 'read' }, 0);
  gauge.set({ lane: 'write' }, 0);
  return gauge;
}

function watchGauges(registry: Registry, probe: () => Promise<GaugeReadings>): void {
  const read = sharedWhileUnderWay(probe);
  const watch = (name: string, help: string, pick: (readings: GaugeReadings) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const readings = await read();
        if (readings === null) this.remove();
        else this.set(pick(readings));
      },
    });
  watch('inbox_pending', 'Webhook events that are not settled yet', (readings) => readings.inboxPending);
  watch('outbox_pending', 'Writes that Attio has not confirmed yet', (readings) => readings.outboxPending);
  watch(
    'automations_pending',
    'Runs of automations that are still to be made',
    (readings) => readings.automationsPending,
  );
  watch(
    'change_deliveries_pending',
    'Changes that are still to be pushed',
    (readings) => readings.changeDeliveriesPending,
  );
  watch(
    'change_webhooks_disabled',
    'Addresses that changes are not pushed to any more',
    (readings) => readings.changeWebhooksDisabled,
  );
  watch(
    'attio_rate_limit_instances',
    'How many instances Attio’s limits are divided by where they are not planned together',
    (readings) => readings.instances,
  );
  watch('conflicts_open', 'Conflicts that wait for a decision', (readings) => readings.conflictsOpen);
  new Gauge({
    name: 'dead_letters',
    help: 'Work that was given up',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      const readings = await read();
      this.reset();
      for (const [kind, value] of Object.entries(readings?.deadLetters ?? {})) this.set({ kind }, value);
    },
  });
}

/** The gauges of one scrape collect together: they share one look. The shared answer is null when it failed. */
function sharedWhileUnderWay<T>(look: () => Promise<T>): () => Promise<T | null> {
  let underWay: Promise<T | null> | null = null;
  return () => {
    underWay ??= Promise.resolve()
      .then(look)
      .catch(() => null)
      .finally(() => {
        underWay = null;
      });
    return underWay;
  };
}
