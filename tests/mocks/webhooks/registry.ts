import { AttioError, notFound } from '../core/errors.ts';
import type { EventType, WebhookEvent } from './events.ts';
import { passes, type SubscriptionFilter } from './filter.ts';

export interface Subscription {
  readonly event_type: EventType;
  readonly filter: SubscriptionFilter;
}

export interface Webhook {
  readonly id: string;
  targetUrl: string;
  subscriptions: readonly Subscription[];
  status: 'active' | 'degraded' | 'inactive';
  readonly secret: string;
  readonly createdAt: string;
}

function clashes(a: readonly Subscription[], b: readonly Subscription[]): boolean {
  const keys = new Set(a.map((one) => JSON.stringify([one.event_type, one.filter])));
  return b.some((one) => keys.has(JSON.stringify([one.event_type, one.filter])));
}

/** The workspace's webhooks, in the order they were made. */
export class WebhookRegistry {
  readonly #webhooks = new Map<string, Webhook>();

  list(): readonly Webhook[] {
    return [...this.#webhooks.values()];
  }

  get(id: string): Webhook {
    const found = this.#webhooks.get(id);
    if (found === undefined) throw notFound(`Webhook with ID "${id}" was not found.`);
    return found;
  }

  /** The same target, event type and filter may exist once only. */
  checkFree(targetUrl: string, subscriptions: readonly Subscription[], except?: Webhook): void {
    for (const other of this.#webhooks.values()) {
      if (other === except || other.targetUrl !== targetUrl) continue;
      if (!clashes(other.subscriptions, subscriptions)) continue;
      throw new AttioError(
        409,
        'uniqueness_conflict',
        'A webhook with the same target URL, event type and filter already exists.',
      );
    }
  }

  add(webhook: Webhook): void {
    this.checkFree(webhook.targetUrl, webhook.subscriptions);
    this.#webhooks.set(webhook.id, webhook);
  }

  delete(id: string): void {
    if (!this.#webhooks.delete(id)) throw notFound('Webhook not found');
  }

  has(webhook: Webhook): boolean {
    return this.#webhooks.get(webhook.id) === webhook;
  }

  /** Active and degraded webhooks that want this event. */
  wanting(event: WebhookEvent): Webhook[] {
    return this.list().filter(
      (webhook) =>
        webhook.status !== 'inactive' &&
        webhook.subscriptions.some((one) => one.event_type === event.event_type && passes(one.filter, event)),
    );
  }
}
