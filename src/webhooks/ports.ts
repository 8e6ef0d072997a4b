/** What this layer needs and does not build itself; `app.ts` hands over objects that fit by shape. */
import type { NewDeadLetter } from '../domain/dead-letters.ts';
import type { WebhookEvent } from '../domain/webhook-events.ts';

export interface NewInboxEvent {
  readonly type: string;
  readonly workspaceId: string | null;
  /** The event as JSON text. */
  readonly payload: string;
  /** The record, entry or other thing that it is about. */
  readonly subjectId?: string | null;
  /** That of its attributes which is said to have changed. */
  readonly attributeId?: string | null;
}

export interface Delivery {
  /** Equal for redeliveries of one message; null when Attio sent no key: such a delivery is never a duplicate. */
  readonly dedupeKey: string | null;
  /** ISO 8601 UTC. */
  readonly receivedAt: string;
  readonly events: readonly NewInboxEvent[];
  readonly quarantined: readonly NewDeadLetter[];
}

/** Counts of events. */
export interface DeliveryResult {
  readonly accepted: number;
  readonly duplicates: number;
  readonly quarantined: number;
}

/** Stores a delivery durably before it answers. @throws when it cannot */
export interface DeliveryLog {
  add(delivery: Delivery): Promise<DeliveryResult>;
}

export interface InboxRow {
  readonly id: number;
  /** What it is about; null: nothing that has an order. */
  readonly subjectId: string | null;
  readonly payload: string;
  readonly attempts: number;
  readonly receivedAt: string;
}

/** `unhandled` events are kept as well: a later version may know them. */
export type SettledStatus = 'done' | 'kept' | 'ignored';

export interface Inbox {
  pending(now: string, afterId: number, inHand: ReadonlySet<number>, limit: number): Promise<InboxRow[]>;
  nextDueAt(after: string): Promise<string | null>;
  retryLater(id: number, attempts: number, nextAttemptAt: string, error: string): Promise<void>;
  bury(id: number, at: string, letter: NewDeadLetter): Promise<void>;
}

export interface SettledEvent {
  readonly id: number;
  readonly outcome: SettledStatus;
}

/** Marks events settled; those marked together share one commit. None is when one that was added before it could not be. */
export interface SettleLog {
  add(settled: SettledEvent): Promise<void>;
}

/** What is to be done after an event's effect is committed. */
export interface FollowUps {
  /** Durable when it resolves. The same event may be added again. @throws when it cannot be stored */
  add(eventId: number, event: WebhookEvent): Promise<void>;
}

export interface KnownWorkspace {
  /** The workspace that is mirrored here; null until Attio has first answered. */
  readonly workspaceId: string | null;
  /** The token is known to be of this workspace. */
  readonly maySync: boolean;
}

export interface InboxEvents {
  deliveryAccepted(result: DeliveryResult): void;
  eventSettled(type: string, outcome: SettledStatus | 'unhandled', lagSeconds: number): void;
  eventRetried(type: string, attempt: number, error: unknown): void;
  eventBuried(type: string, reason: string): void;
  inboxPaused(waitMs: number, error: unknown): void;
}
