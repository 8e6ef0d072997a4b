/** What automations need and do not build themselves. */
import type { AutomationJob, NewAutomationJob } from '../../domain/automations.ts';
import type { NewDeadLetter } from '../../domain/dead-letters.ts';
import type { WebhookEvent } from '../../domain/webhook-events.ts';
import type { Thing } from './automation.ts';

export interface AutomationJobStore {
  add(jobs: readonly NewAutomationJob[]): Promise<void>;
  /** Jobs that are not to be run, each with the letter that says why. */
  addDead(rejected: readonly { job: NewAutomationJob; letter: NewDeadLetter }[]): Promise<void>;
  /** The first pending one of each thing, if it is due and not in hand. */
  due(automation: string, now: string, inHand: ReadonlySet<number>, limit: number): Promise<AutomationJob[]>;
  nextDueAt(automation: string, after: string): Promise<string | null>;
  /** @returns whether it was there to be taken: then it is nobody else's until that instant */
  take(id: number, now: string, until: string): Promise<boolean>;
  done(id: number, at: string): Promise<void>;
  retryLater(id: number, attempts: number, nextAttemptAt: string): Promise<void>;
  /** Gives pending ones up, together. */
  bury(given: readonly { id: number; letter: NewDeadLetter }[]): Promise<void>;
  /** Pending ones of automations that are not among these, and that are older than that. */
  pendingOfOthers(
    automations: readonly string[],
    createdBefore: string,
    limit: number,
  ): Promise<AutomationJob[]>;
  /** @returns whether there was a dead one */
  revive(automation: string, eventId: number, letterId: number, now: string): Promise<boolean>;
  /** Pending ones by automation. */
  pending(): Promise<Map<string, number>>;
}

/** What an event is about, as it is here now. */
export interface Hydrated {
  readonly thing: Thing | null;
  readonly changed: string | null;
}

export interface ThingReader {
  /** @throws ServiceError `unavailable` */
  read(event: WebhookEvent): Promise<Hydrated>;
}

/** `held_up`: by an outage, which counts no attempt. */
export type RunOutcome = 'done' | 'failed' | 'timed_out' | 'held_up';

/** What happened to automations. Never throws. */
export interface AutomationEvents {
  automationRan(
    automation: string,
    outcome: RunOutcome,
    facts: { attempt: number; durationMs: number },
  ): void;
  /** With the error of a run that failed. */
  automationFailed(automation: string, error: unknown): void;
  automationBuried(automation: string, reason: string): void;
  automationPaused(automation: string, waitMs: number, error: unknown): void;
}
