import type { AutomationJob, NewAutomationJob } from '../../domain/automations.ts';
import type { DeadLetter, NewDeadLetter } from '../../domain/dead-letters.ts';
import type { WebhookEvent } from '../../domain/webhook-events.ts';
import { ServiceError } from '../errors.ts';
import type { Automation } from './automation.ts';
import { AutomationWorker, type AutomationWorkerDeps, letterOf } from './worker.ts';

export interface AutomationEngineDeps extends AutomationWorkerDeps {
  readonly automations: readonly Automation[];
  /** Stores jobs durably; those that come together share a commit. */
  readonly log: { add(jobs: readonly NewAutomationJob[]): Promise<void> };
  /** Jobs of one automation that may wait. */
  readonly maxPending: number;
  /** There are jobs, for whichever instance has room. */
  readonly tellOthers: () => void;
}

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const MAX_NAME = 64;
/** How old a count of what is pending may be. */
const RECOUNT_MS = 5_000;
/** Jobs buried per transaction. */
const STEP = 200;

/** What the id of an event has for the thing that it is about. */
const THING_IDS = ['record_id', 'entry_id', 'note_id', 'task_id', 'comment_id'];

/**
 * A company's functions, run after the webhook events that they are registered for.
 *
 * An event's jobs are stored before the event is settled, and after its effect is committed: at least once, whatever
 * crashes when. Each automation has a worker of its own: one that fails, hangs or waits holds up no other.
 */
export class AutomationEngine {
  readonly #deps: AutomationEngineDeps;
  readonly #workers: ReadonlyMap<string, AutomationWorker>;
  readonly #byType: ReadonlyMap<string, readonly string[]>;
  #pending = new Map<string, number>();
  #countedAt = Number.NEGATIVE_INFINITY;

  /** @throws an error that names an automation whose name is wrong or taken */
  constructor(deps: AutomationEngineDeps) {
    const { automations } = deps;
    checkNames(automations.map((automation) => automation.name));
    this.#deps = deps;
    this.#workers = new Map(
      automations.map((automation) => [automation.name, new AutomationWorker(automation, deps)]),
    );
    const registered = automations.flatMap(({ name, types }) => types.map((type) => ({ name, type })));
    this.#byType = new Map(
      [...Map.groupBy(registered, ({ type }) => type)].map(([type, of]) => [
        type,
        [...new Set(of.map(({ name }) => name))],
      ]),
    );
  }

  /** An event's effect is committed. Resolves when what it calls for is durable. @throws when it cannot be stored */
  async add(eventId: number, event: WebhookEvent): Promise<void> {
    const names = this.#byType.get(event.type);
    if (names === undefined) return;
    await this.#recount();
    const jobs = names.map((automation) => this.#job(automation, eventId, event));
    const [taken, refused] = [
      jobs.filter((job) => this.#hasRoom(job)),
      jobs.filter((job) => !this.#hasRoom(job)),
    ];
    if (refused.length > 0) await this.#refuse(refused);
    if (taken.length > 0) await this.#deps.log.add(taken);
    for (const { automation } of taken) {
      this.#pending.set(automation, (this.#pending.get(automation) ?? 0) + 1);
      this.#workers.get(automation)?.wake();
    }
    if (taken.length > 0) this.#deps.tellOthers();
  }

  start(): void {
    for (const worker of this.#workers.values()) worker.start();
  }

  /** There may be something to do, or it may be done now. */
  wake(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  /** The outage is over. */
  resume(): void {
    for (const worker of this.#workers.values()) worker.resume();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
  }

  /** Gives up what waits for automations that are no longer registered. */
  async sweep(createdBefore: string): Promise<void> {
    const { jobs, events } = this.#deps;
    for (;;) {
      const orphans = await jobs.pendingOfOthers([...this.#workers.keys()], createdBefore, STEP);
      const at = this.#now();
      await jobs.bury(orphans.map((job) => ({ id: job.id, letter: orphanLetter(job, at) })));
      for (const { automation } of orphans) events.automationBuried(automation, UNKNOWN);
      if (orphans.length < STEP) return;
    }
  }

  /** Takes a dead letter back to work. @throws ServiceError `refused` */
  async revive({ id, automation, eventId }: DeadLetter): Promise<void> {
    const worker = this.#workers.get(automation ?? '');
    if (automation === null || eventId === null || worker === undefined) {
      throw new ServiceError('refused', `there is no automation "${automation}": register it, then replay`);
    }
    if (!(await this.#deps.jobs.revive(automation, eventId, Number(id), this.#now()))) {
      throw new ServiceError('refused', 'what was to be done is no longer kept');
    }
    worker.wake();
  }

  #job(automation: string, eventId: number, event: WebhookEvent): NewAutomationJob {
    const thing = THING_IDS.map((member) => event.ids[member]).find((id) => id !== undefined);
    return {
      automation,
      eventId,
      eventType: event.type,
      payload: JSON.stringify(event.raw),
      thing: thing ?? `event ${eventId}`,
      createdAt: this.#now(),
    };
  }

  #hasRoom({ automation }: NewAutomationJob): boolean {
    return (this.#pending.get(automation) ?? 0) < this.#deps.maxPending;
  }

  /** The mirror does not wait for automations: what is too much for one is kept as a dead letter. */
  async #refuse(jobs: readonly NewAutomationJob[]): Promise<void> {
    const reason = 'too_many_waiting';
    const detail = 'more waited for this automation than may wait';
    await this.#deps.jobs.addDead(
      jobs.map((job) => ({ job, letter: letterOf(job, 0, job.createdAt, reason, detail) })),
    );
    for (const { automation } of jobs) this.#deps.events.automationBuried(automation, reason);
  }

  async #recount(): Promise<void> {
    const now = this.#deps.clock.now();
    if (now - this.#countedAt < RECOUNT_MS) return;
    this.#countedAt = now;
    this.#pending = await this.#deps.jobs.pending();
  }

  #now(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }
}

const UNKNOWN = 'unknown_automation';

function orphanLetter(job: AutomationJob, at: string): NewDeadLetter {
  return letterOf(job, job.attempts, at, UNKNOWN, `there is no automation "${job.automation}" any more`);
}

function checkNames(names: readonly string[]): void {
  for (const [index, name] of names.entries()) {
    if (!NAME.test(name) || name.length > MAX_NAME) {
      throw new Error(
        `src/automations.ts: "${name}" is no name: use kebab-case, ${MAX_NAME} characters at most`,
      );
    }
    if (names.indexOf(name) !== index) {
      throw new Error(`src/automations.ts: two automations are called "${name}": rename one`);
    }
  }
}
