import { createHmac } from 'node:crypto';
import type { Timers } from '../core/timers.ts';
import type { Faults } from '../faults.ts';
import type { Delivery } from './delivery.ts';
import { DeliveryQueue } from './delivery-queue.ts';
import type { WebhookEvent } from './events.ts';
import { Overtaking } from './overtaking.ts';
import type { Webhook, WebhookRegistry } from './registry.ts';

export interface DeliveryOptions {
  /** Deliveries go here instead of to each webhook's own target. */
  readonly deliverTo: string | null;
  readonly perSecond: number;
  /** Deliveries to one target that may be under way at once; one keeps them in order. */
  readonly concurrency: number;
  readonly maxRetries: number;
  readonly retryBaseMs: number;
  readonly timeoutMs: number;
}

export interface DispatcherDeps {
  readonly registry: WebhookRegistry;
  readonly faults: Faults;
  readonly options: DeliveryOptions;
  readonly fetch: typeof fetch;
  readonly timers: Timers;
  readonly now: () => number;
  readonly newId: () => string;
  readonly logCapacity: number;
}

export function sign(secret: string, body: string): string {
  return createHmac('sha256', secret).update(body, 'utf8').digest('hex');
}

/**
 * A delivery is queued per target URL (25 a second), sent, and on anything but 2xx waits retryBaseMs * 2^n in
 * `retrying` before it is queued again; after the last retry it is `failed` and its webhook degraded.
 */
export class Dispatcher {
  readonly #deps: DispatcherDeps;
  readonly #queues = new Map<string, DeliveryQueue>();
  readonly #overtaking: Overtaking;
  readonly #retryTimers = new Set<unknown>();
  readonly #idle = new Set<() => void>();
  readonly #sending = new Set<AbortController>();
  #log: Delivery[] = [];
  #open = 0;
  #closed = false;

  constructor(deps: DispatcherDeps) {
    this.#deps = deps;
    this.#overtaking = new Overtaking(deps.timers, (delivery) => this.#enqueue(delivery));
  }

  publish(event: WebhookEvent): void {
    if (this.#closed) return;
    for (const webhook of this.#deps.registry.wanting(event)) this.#dispatch(webhook, event);
  }

  #dispatch(webhook: Webhook, event: WebhookEvent): void {
    const delivery = this.#newDelivery(webhook, event);
    const fault = this.#deps.faults.strikeDelivery(event.event_type);
    if (fault?.kind === 'drop-webhooks') {
      delivery.state = 'dropped';
      return;
    }
    this.#open += 1;
    if (fault?.kind === 'reorder-webhooks') {
      this.#overtaking.hold(delivery, fault.ms);
      return;
    }
    this.#enqueue(delivery);
    if (fault?.kind === 'duplicate-webhooks') {
      this.#open += 1;
      this.#enqueue(this.#record({ ...delivery, id: this.#deps.newId(), state: 'waiting' }));
    }
    this.#overtaking.passed(delivery.url);
  }

  #newDelivery(webhook: Webhook, event: WebhookEvent): Delivery {
    const body = JSON.stringify({ webhook_id: webhook.id, events: [event] });
    return this.#record({
      id: this.#deps.newId(),
      webhookId: webhook.id,
      url: this.#deps.options.deliverTo ?? webhook.targetUrl,
      event,
      idempotencyKey: this.#deps.newId(),
      body,
      signature: sign(webhook.secret, body),
      queuedAt: new Date(this.#deps.now()).toISOString(),
      attempts: 0,
      lastStatus: null,
      lastError: null,
      state: 'waiting',
    });
  }

  #record(delivery: Delivery): Delivery {
    this.#log.push(delivery);
    if (this.#log.length > this.#deps.logCapacity * 2) this.#log = this.#log.slice(-this.#deps.logCapacity);
    return delivery;
  }

  #enqueue(delivery: Delivery): void {
    let queue = this.#queues.get(delivery.url);
    if (queue === undefined) {
      const { options, timers, now } = this.#deps;
      queue = new DeliveryQueue({
        perSecond: options.perSecond,
        concurrency: options.concurrency,
        timers,
        now,
        send: (one) => this.#attempt(one),
      });
      this.#queues.set(delivery.url, queue);
    }
    delivery.state = 'waiting';
    queue.push(delivery);
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const webhook = this.#deps.registry.list().find((one) => one.id === delivery.webhookId);
    if (webhook === undefined || this.#closed) {
      this.#settle(delivery, 'discarded');
      return;
    }
    delivery.state = 'sending';
    delivery.attempts += 1;
    await this.#send(delivery);
    const ok = delivery.lastStatus !== null && delivery.lastStatus >= 200 && delivery.lastStatus < 300;
    if (ok) {
      webhook.status = 'active';
      this.#settle(delivery, 'delivered');
    } else if (delivery.attempts > this.#deps.options.maxRetries) {
      webhook.status = 'degraded';
      this.#settle(delivery, 'failed');
    } else {
      this.#retryLater(delivery);
    }
  }

  async #send(delivery: Delivery): Promise<void> {
    const { fetch, timers, options } = this.#deps;
    const abort = new AbortController();
    const timer = timers.setTimeout(() => abort.abort(new Error('timed out')), options.timeoutMs);
    this.#sending.add(abort);
    try {
      const answer = await fetch(delivery.url, {
        method: 'POST',
        body: delivery.body,
        redirect: 'manual',
        signal: abort.signal,
        headers: {
          'content-type': 'application/json',
          'attio-signature': delivery.signature,
          'x-attio-signature': delivery.signature,
          'idempotency-key': delivery.idempotencyKey,
        },
      });
      await answer.body?.cancel();
      delivery.lastStatus = answer.status;
      delivery.lastError = null;
    } catch (error) {
      delivery.lastStatus = null;
      delivery.lastError = error instanceof Error ? error.message : String(error);
    } finally {
      timers.clearTimeout(timer);
      this.#sending.delete(abort);
    }
  }

  #retryLater(delivery: Delivery): void {
    if (this.#closed) {
      this.#settle(delivery, 'discarded');
      return;
    }
    delivery.state = 'retrying';
    const ms = this.#deps.options.retryBaseMs * 2 ** (delivery.attempts - 1);
    const timer = this.#deps.timers.setTimeout(() => {
      this.#retryTimers.delete(timer);
      this.#enqueue(delivery);
    }, ms);
    this.#retryTimers.add(timer);
  }

  #settle(delivery: Delivery, state: Delivery['state']): void {
    delivery.state = state;
    this.#open -= 1;
    if (this.#open > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }

  /** Resolves when nothing is waiting, held, in flight or to be retried. */
  settled(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idle.add(resolve);
    });
  }

  deliveries(): readonly Delivery[] {
    return this.#log.slice(-this.#deps.logCapacity);
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#retryTimers) this.#deps.timers.clearTimeout(timer);
    for (const abort of this.#sending) abort.abort(new Error('closed'));
    this.#overtaking.close();
    for (const queue of this.#queues.values()) queue.close();
    this.#open = 0;
    for (const resolve of this.#idle) resolve();
    this.#idle.clear();
  }
}
