import { z } from 'zod';
import { pagesByOffset } from '../pagination.ts';
import { route } from '../route.ts';
import type { AttioResponse, RequestOptions } from '../transport.ts';
import { type Webhook, webhook } from '../types.ts';
import { type PageOptions, read, remove, type Sender, write } from './sender.ts';

/** Members of an event to compare, one level deep. */
export interface WebhookCondition {
  /** Dot path into the event, such as `actor.id`. */
  readonly field: string;
  readonly operator: 'equals' | 'not_equals';
  readonly value: string;
}

export interface Subscription {
  readonly event_type: string;
  /** null: every event of the type. */
  readonly filter:
    | null
    | { readonly $and: readonly WebhookCondition[] }
    | { readonly $or: readonly WebhookCondition[] };
}

export interface NewWebhook {
  /** https only. */
  readonly target_url: string;
  readonly subscriptions: readonly Subscription[];
}

/** Attio's maximum; its minimum and default is 10. */
export const MAX_WEBHOOKS_PER_PAGE = 100;

const webhooks = z.array(webhook);

/** Needs a token of the workspace; a user's is refused. */
export class WebhooksResource {
  readonly #sender: Sender;

  constructor(deps: { sender: Sender }) {
    this.#sender = deps.sender;
  }

  /** One page, without secrets. */
  async list(page: PageOptions = {}): Promise<AttioResponse<Webhook[]>> {
    const { limit, offset, ...options } = page;
    return read(this.#sender, {
      route: route('GET /webhooks', {}),
      query: { limit, offset },
      schema: webhooks,
      options,
    });
  }

  /** All of them. */
  async all(options: RequestOptions = {}): Promise<Webhook[]> {
    const found: Webhook[] = [];
    const pages = pagesByOffset({
      offset: 0,
      limit: MAX_WEBHOOKS_PER_PAGE,
      signal: options.signal,
      load: (position) => this.list({ ...options, ...position }),
      count: (page) => page.data.length,
    });
    for await (const { data } of pages) found.push(...data);
    return found;
  }

  async get(webhookId: string, options?: RequestOptions): Promise<AttioResponse<Webhook>> {
    const to = route('GET /webhooks/{webhook_id}', { webhook_id: webhookId });
    return read(this.#sender, { route: to, schema: webhook, options });
  }

  /** Not repeatable. The answer is the only place where Attio tells the secret. */
  async create(data: NewWebhook, options?: RequestOptions): Promise<AttioResponse<Webhook>> {
    return write(this.#sender, { route: route('POST /webhooks', {}), data, schema: webhook, options });
  }

  /** Members that are given replace what is there. */
  async update(
    webhookId: string,
    data: Partial<NewWebhook>,
    options?: RequestOptions,
  ): Promise<AttioResponse<Webhook>> {
    const to = route('PATCH /webhooks/{webhook_id}', { webhook_id: webhookId });
    return write(this.#sender, { route: to, data, schema: webhook, options });
  }

  async delete(webhookId: string, options?: RequestOptions): Promise<{ readonly alreadyGone: boolean }> {
    return remove(this.#sender, route('DELETE /webhooks/{webhook_id}', { webhook_id: webhookId }), options);
  }
}
