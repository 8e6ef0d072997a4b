/** What pushing changes needs and does not build itself. */
import type { ChangeDelivery, ChangeWebhookState, PushCandidate } from '../../domain/change-webhooks.ts';
import type { Change } from '../../domain/changes.ts';
import type { NewDeadLetter } from '../../domain/dead-letters.ts';
import type { JsonObject } from '../../domain/json.ts';

export interface ChangeWebhookStore {
  /** One that is new starts at the end of the feed. */
  register(endpoints: readonly { id: string; host: string }[], now: string): Promise<void>;
  list(): Promise<ChangeWebhookState[]>;
  get(id: string): Promise<ChangeWebhookState | undefined>;
  look(id: string): Promise<{ active: boolean; behind: boolean }>;
  /** @returns the ids of those that are this instance's until then */
  lease(ids: readonly string[], owner: string, now: string, until: string): Promise<string[]>;
  release(owner: string): Promise<void>;
  /** @returns whether it was active */
  disable(id: string, reason: string, at: string): Promise<boolean>;
  /** @returns whether there is such a one */
  enable(id: string, at: string): Promise<boolean>;
}

export interface ChangeDeliveryStore {
  change(seq: number): Promise<Change | undefined>;
  /** @returns how many changes were looked at */
  plan(
    webhookId: string,
    limit: number,
    isPushed: (change: PushCandidate, firstSyncs: ReadonlyMap<string, number>) => boolean,
  ): Promise<number>;
  /** The first pending one of each thing, if it is due and not in hand, in the order of the feed. */
  due(webhookId: string, now: string, inHand: ReadonlySet<number>, limit: number): Promise<ChangeDelivery[]>;
  nextDueAt(webhookId: string, after: string): Promise<string | null>;
  countPending(webhookId: string): Promise<number>;
  /** @returns since when its webhook fails */
  failed(failed: {
    delivery: ChangeDelivery;
    error: string;
    at: string;
    then: { nextAttemptAt: string } | { letter: NewDeadLetter };
  }): Promise<string>;
  webhookOf(id: number): Promise<string | null>;
  /** @returns whether there was a dead one */
  revive(id: number, letterId: number, now: string): Promise<boolean>;
}

/** Stores that deliveries were made; those that come together share a commit. */
export interface DeliveryLog {
  add(made: { id: number; webhookId: string; at: string }): Promise<void>;
}

export interface ChangeSender {
  /** Follows no redirect. @throws an error, with the network's code where it has one */
  post(post: {
    url: URL;
    headers: Readonly<Record<string, string>>;
    body: string;
    signal: AbortSignal;
  }): Promise<{ status: number; headers: Headers }>;
}

/** A change as `/v1/changes` shows it. */
export type ShowChange = (change: Change) => JsonObject;

export type PushOutcome = 'delivered' | 'failed' | 'dead';

/** What happened to pushes. Never throws. */
export interface PushEvents {
  /** @param webhook its id: hosts and paths are nobody's business but the list's */
  pushed(webhook: string, outcome: PushOutcome, facts: { attempt: number; lagSeconds: number }): void;
  pushFailed(webhook: string, error: string): void;
  pushPaused(webhook: string, waitMs: number, error: unknown): void;
  webhookDisabled(webhook: string, reason: string): void;
  webhookEnabled(webhook: string): void;
}
