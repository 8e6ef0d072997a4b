import type { WebhookEvent, WebhookEventType } from '../domain/webhook-events.ts';

/** `done`: its effect is committed. `kept`: for a later version. `ignored`: about nothing that is mirrored here. */
export type HandlerOutcome = 'done' | 'kept' | 'ignored';

/** @param receivedAt when the event came. @unit ms */
export type WebhookHandler = (event: WebhookEvent, receivedAt: number) => Promise<HandlerOutcome>;

export interface Dispatched {
  /** `unhandled`: no handler is registered for this type. */
  readonly outcome: HandlerOutcome | 'unhandled';
  /** What each failed handler threw. With any, the event is not settled. */
  readonly failures: readonly unknown[];
}

/** From event type to handlers: several per type; one that fails never stops another. */
export class WebhookRouter {
  readonly #handlers = new Map<string, WebhookHandler[]>();

  on(type: WebhookEventType, handler: WebhookHandler): this {
    this.#handlers.set(type, [...(this.#handlers.get(type) ?? []), handler]);
    return this;
  }

  async dispatch(event: WebhookEvent, receivedAt: number): Promise<Dispatched> {
    const handlers = this.#handlers.get(event.type);
    if (handlers === undefined) return { outcome: 'unhandled', failures: [] };
    const settled = await Promise.allSettled(handlers.map(async (handler) => handler(event, receivedAt)));
    const outcomes = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failures = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    return { outcome: strongest(outcomes), failures };
  }
}

function strongest(outcomes: readonly HandlerOutcome[]): HandlerOutcome {
  if (outcomes.includes('done')) return 'done';
  return outcomes.includes('kept') ? 'kept' : 'ignored';
}
