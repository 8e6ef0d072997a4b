/**
 * What this company has done after events in Attio: the one file to edit. What a function is given, and what is promised
 * of its runs: `services/automations/automation.ts`, and the README.
 */
import { fold } from './domain/nearest.ts';
import {
  type Automation,
  type AwaitedStage,
  type EntryThing,
  on,
} from './services/automations/automation.ts';
import { ServiceError } from './services/errors.ts';

export interface AutomationSettings {
  readonly taskOnStage: TaskOnStage & { readonly enabled: boolean };
}

/** @param settings `automations` of `config/attio.{environment}.json` */
export function automations({ taskOnStage }: AutomationSettings): Automation[] {
  return [
    ...(taskOnStage.enabled ? [makeTaskOnStage(taskOnStage)] : []),
    // on('record.created', { name: 'welcome', run: async ({ thing, services, idempotencyKey, signal }) => { … } }),
  ];
}

interface TaskOnStage extends AwaitedStage {
  /** Of the task. */
  readonly content: string;
  /** Days after the entry has reached the stage; null: the task has no deadline. */
  readonly dueInDays: number | null;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * An example. When an entry reaches a stage, a task is made that is linked to the entry's record: one for each stay in the
 * stage, however often the entry is changed meanwhile, and another one when it comes back to the stage later.
 */
function makeTaskOnStage({ list, stage, content, dueInDays }: TaskOnStage): Automation {
  return on(['list-entry.created', 'list-entry.updated'], {
    name: 'task-on-stage',
    stages: [{ list, stage }],
    async run({ thing: entry, changed, services, lastingKey, signal }) {
      if (entry === null || entry.list !== list || !hasReached(entry, changed, stage)) return;
      const { id, object, recordId, stageSince } = entry;
      // Without the instant, a move of ours is still on its way to Attio: its own event is yet to come.
      if (recordId === null || stageSince === null) return;
      const task = {
        content,
        deadlineAt: dueInDays === null ? null : later(stageSince, dueInDays),
        linkedRecords: [{ object, recordId }],
      };
      const requestKey = lastingKey(`${id} ${stageSince}`);
      await services.activity.addTask(task, { wait: false, signal, requestKey }).catch(unlessGone);
    },
  });
}

function hasReached(entry: EntryThing, changed: string | null, stage: string): boolean {
  if (entry.deletedAt !== null || entry.stage === null) return false;
  if (changed !== null && changed !== entry.stageSlug) return false;
  return entry.stage.id === stage.toLowerCase() || fold(entry.stage.title ?? '') === fold(stage);
}

/** A task that was made before, and that somebody has deleted since, is done. */
function unlessGone(error: unknown): void {
  if (!(error instanceof ServiceError && error.kind === 'gone')) throw error;
}

function later(instant: string, days: number): string {
  return new Date(Date.parse(instant) + days * DAY_MS).toISOString();
}
