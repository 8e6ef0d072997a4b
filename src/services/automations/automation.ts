/** What an automation is: after which events it runs, and what it is given. `src/automations.ts` registers them. */
import type { PlainAttributes } from '../../domain/entities.ts';
import type { WebhookEvent, WebhookEventType } from '../../domain/webhook-events.ts';
import type { ActivityService } from '../activity.ts';
import type { CompaniesService, ContactsService } from '../contacts.ts';
import type { DealsService } from '../deals.ts';
import type { CommentView, EntryView, NoteView, TaskView } from '../items/inputs.ts';
import type { PipelineService } from '../pipeline.ts';

type RecordEventType = Extract<WebhookEventType, `record.${string}`>;
type EntryEventType = Extract<WebhookEventType, `list-entry.${string}`>;
type NoteEventType = Extract<WebhookEventType, `note.${string}` | 'note-content.updated'>;
type TaskEventType = Extract<WebhookEventType, `task.${string}`>;
type CommentEventType = Extract<WebhookEventType, `comment.${string}`>;

/** Events about things that are mirrored here. */
export type AutomationEventType =
  | RecordEventType
  | EntryEventType
  | NoteEventType
  | TaskEventType
  | CommentEventType;

/** A record as the local database holds it. Times are ISO 8601 UTC. */
export interface RecordThing {
  readonly kind: 'record';
  readonly object: string;
  readonly recordId: string;
  /** Ours, of a contact, a company or a deal. */
  readonly id: string | null;
  /** By slug: scalars for single attributes, lists for multiple ones. */
  readonly values: PlainAttributes;
  readonly webUrl: string | null;
  readonly createdAt: string;
  /** Of a record that Attio no longer has: `values` are the last ones that it had. */
  readonly deletedAt: string | null;
  /** The record that it was merged into. */
  readonly mergedInto: string | null;
}

export interface EntryThing extends EntryView {
  readonly kind: 'entry';
  /** The slug of the list's attribute that `stage` is of. */
  readonly stageSlug: string | null;
  /** Since when the entry is in its stage, as Attio has it; null when that is not known. */
  readonly stageSince: string | null;
}

export interface NoteThing extends NoteView {
  readonly kind: 'note';
}

export interface TaskThing extends TaskView {
  readonly kind: 'task';
}

export interface CommentThing extends CommentView {
  readonly kind: 'comment';
}

export type Thing = RecordThing | EntryThing | NoteThing | TaskThing | CommentThing;

type ThingOf<T extends AutomationEventType> = T extends RecordEventType
  ? RecordThing
  : T extends EntryEventType
    ? EntryThing
    : T extends NoteEventType
      ? NoteThing
      : T extends TaskEventType
        ? TaskThing
        : CommentThing;

/** The services that the REST routes use, too. */
export interface AutomationServices {
  readonly contacts: ContactsService;
  readonly companies: CompaniesService;
  readonly deals: DealsService;
  readonly pipelines: PipelineService;
  readonly activity: ActivityService;
}

export interface AutomationContext<T extends AutomationEventType = AutomationEventType> {
  readonly event: WebhookEvent & { readonly id: number; readonly type: T };
  /**
   * What the event is about, as it is here when the run begins: later events may have changed it since. Null: it is not
   * held here, or no longer.
   */
  readonly thing: ThingOf<T> | null;
  /** The slug of the attribute that the event says has changed; null when it says none, or one that is not known. */
  readonly changed: string | null;
  readonly services: AutomationServices;
  /** From 1. Waiting for the end of an outage is no attempt. */
  readonly attempt: number;
  /** Aborted when the run's time is over, and a little after the service was told to stop: then it is run again. */
  readonly signal: AbortSignal;
  /**
   * For `requestKey`: the same in every run of this automation for this event.
   * @param suffix tells the effects of one run apart
   */
  readonly idempotencyKey: (suffix: string) => string;
  /**
   * For `requestKey`: the same in every run of this automation, whatever the event. For an effect that several events
   * call for, and that is to come once.
   */
  readonly lastingKey: (suffix: string) => string;
}

/** A stage that an automation acts on. */
export interface AwaitedStage {
  /** The list's slug. */
  readonly list: string;
  /** The stage's title in any case, or its id. */
  readonly stage: string;
}

/** A function that is run after each event of its types, once the mirror is right. */
export interface Automation {
  /** In metrics, logs, dead letters and keys: unique, and never given to another one. */
  readonly name: string;
  readonly types: readonly AutomationEventType[];
  /** Those that it acts on: one that the workspace lacks is warned of at the start, and named by `doctor`. */
  readonly stages: readonly AwaitedStage[];
  readonly run: (context: AutomationContext) => Promise<void>;
}

interface Registration<T extends AutomationEventType> {
  readonly name: string;
  readonly stages?: readonly AwaitedStage[];
  readonly run: (context: AutomationContext<T>) => Promise<void>;
}

/**
 * @param automation.name kebab-case, 64 characters at most
 * @param automation.run may be run more than once for an event. What it throws is an attempt that has failed: it is run
 *   again, with growing waits, and in the end becomes a dead letter. A ServiceError of the kind `unavailable` says "not
 *   now" instead: no attempt is counted.
 */
export function on<T extends AutomationEventType>(
  types: T | readonly T[],
  automation: Registration<T>,
): Automation {
  return {
    name: automation.name,
    types: typeof types === 'string' ? [types] : types,
    stages: automation.stages ?? [],
    run: automation.run as Automation['run'], // it is given events of its types only, and their things
  };
}
