import type { WebhookEvent } from './events.ts';

/** One message to one webhook, over all its attempts. */
export interface Delivery {
  readonly id: string;
  readonly webhookId: string;
  readonly url: string;
  readonly event: WebhookEvent;
  readonly idempotencyKey: string;
  readonly body: string;
  readonly signature: string;
  readonly queuedAt: string;
  attempts: number;
  lastStatus: number | null;
  lastError: string | null;
  state: 'waiting' | 'sending' | 'delivered' | 'retrying' | 'failed' | 'dropped' | 'discarded';
}
