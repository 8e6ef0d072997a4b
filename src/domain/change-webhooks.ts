/** A place that changes are pushed to, as the database knows it. Its address is configuration alone. */
export interface ChangeWebhook {
  /** Of its address: another address is another one. */
  readonly id: string;
  readonly host: string;
  readonly status: 'active' | 'disabled';
  /** The last change that was looked at for it: those before it are delivered, or wait for that one by one. */
  readonly position: number;
  /** Changes that were dropped from the feed before they were looked at for it: it was disabled for too long. */
  readonly missed: number;
  readonly createdAt: string;
  readonly lastSuccessAt: string | null;
  readonly lastErrorAt: string | null;
  readonly lastError: string | null;
  /** The first failure since the last success. */
  readonly failingSince: string | null;
  readonly disabledAt: string | null;
  readonly disabledReason: string | null;
}

/** With what waits for it. */
export interface ChangeWebhookState extends ChangeWebhook {
  /** Deliveries that are still to be made; what was not looked at yet is counted whole, so at most so many. */
  readonly pending: number;
  /** When the oldest change that waits was made; null: none waits. */
  readonly oldestAt: string | null;
  /** Deliveries that were given up. */
  readonly dead: number;
}

/** One change that is to be told to one webhook. */
export interface ChangeDelivery {
  readonly id: number;
  readonly webhookId: string;
  /** The change's place in the feed. */
  readonly seq: number;
  /** Failed ones so far. */
  readonly attempts: number;
}

/** What decides whether a change is pushed. */
export interface PushCandidate {
  readonly seq: number;
  readonly type: string;
  readonly object: string;
  /** Of an entry. */
  readonly listId: string | null;
}
