import { createHash } from 'node:crypto';
import type { AutomationJob } from '../../domain/automations.ts';
import type { Clock } from '../../domain/clock.ts';
import type { NewDeadLetter } from '../../domain/dead-letters.ts';
import { lastingKeyOf } from '../../domain/idempotency.ts';
import { readWebhookEvent } from '../../domain/webhook-events.ts';
import { isOutage, ServiceError } from '../errors.ts';
import { withTimeLimit } from '../time-limit.ts';
import { WorkLoop } from '../work-loop.ts';
import type { Automation, AutomationContext, AutomationServices } from './automation.ts';
import type { AutomationEvents, AutomationJobStore, RunOutcome, ThingReader } from './ports.ts';

export interface AutomationOptions {
  /** Runs of one automation at once. */
  readonly window: number;
  /** Of one run. */
  readonly timeoutMs: number;
  /** Runs that may fail before the job becomes a dead letter; outages are not counted. */
  readonly maxAttempts: number;
  /** A job that outages have held up for this long becomes a dead letter. */
  readonly giveUpAfterMs: number;
}

export interface AutomationWorkerDeps {
  readonly jobs: AutomationJobStore;
  readonly things: ThingReader;
  readonly services: AutomationServices;
  readonly mayWork: () => boolean;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly events: AutomationEvents;
  readonly options: AutomationOptions;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 10 * 60_000;
/** For a job that only its own request holds up; it grows with the job's age. */
const FIRST_PUT_OFF_MS = 3_000;
const LAST_PUT_OFF_MS = 60_000;
/** How long a run may go on when the service stops. */
const STOP_GRACE_MS = 2_000;
const MAX_DETAIL = 1_000;

/**
 * Runs one automation for the events that call for it: the jobs of one thing one after the other, others side by side.
 *
 * A job is taken for twice the time that a run may last; it is due again then, should this process end without a word.
 * An outage that a run meets pauses this automation and counts no attempt (see `WorkLoop`).
 */
export class AutomationWorker {
  readonly #automation: Automation;
  readonly #deps: AutomationWorkerDeps;
  readonly #loop: WorkLoop<AutomationJob>;

  constructor(automation: Automation, deps: AutomationWorkerDeps) {
    const { jobs, mayWork, clock, random, events, options } = deps;
    const { name } = automation;
    this.#automation = automation;
    this.#deps = deps;
    this.#loop = new WorkLoop<AutomationJob>({
      source: {
        // From the first, always: a job can be taken when the one before it is settled, whatever its id.
        due: (now, _afterId, inHand, limit) => jobs.due(name, now, inHand, limit),
        nextDueAt: (after) => jobs.nextDueAt(name, after),
      },
      settle: (job) => this.#settle(job),
      mayWork,
      onPaused: (waitMs, error) => events.automationPaused(name, waitMs, error),
      clock,
      random,
      window: options.window,
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** There may be something to do. */
  wake(): void {
    this.#loop.wakeAll();
  }

  /** The outage is over. */
  resume(): void {
    this.#loop.resume();
  }

  /** What runs has a little time to end; what does not is due again at the next start. */
  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #settle(job: AutomationJob): Promise<void> {
    const { jobs, clock, options } = this.#deps;
    const startedAt = clock.now();
    if (!(await jobs.take(job.id, iso(startedAt), iso(startedAt + 2 * options.timeoutMs)))) return;
    const told = (outcome: RunOutcome) => {
      const facts = { attempt: job.attempts + 1, durationMs: clock.now() - startedAt };
      this.#deps.events.automationRan(this.#automation.name, outcome, facts);
    };
    try {
      const ending = await this.#run(job);
      if (ending === 'stopped') return await this.#giveBack(job);
      if (ending === 'timed_out') {
        told('timed_out');
        const seconds = options.timeoutMs / 1000;
        return await this.#countAttempt(job, new Error(`the run had not ended after ${seconds} s`));
      }
    } catch (error) {
      return this.#failed(job, error, told);
    }
    await jobs.done(job.id, iso(clock.now()));
    this.#loop.succeeded();
    told('done');
  }

  async #run(job: AutomationJob) {
    const { things, clock, options } = this.#deps;
    const event = readWebhookEvent(JSON.parse(job.payload));
    if ('unreadable' in event) throw new Error(event.unreadable);
    return withTimeLimit(
      async (signal) => {
        const hydrated = await things.read(event);
        await this.#automation.run({
          ...hydrated,
          ...this.#keys(job),
          event: { ...event, id: job.eventId },
          services: this.#deps.services,
          attempt: job.attempts + 1,
          signal,
        } as AutomationContext); // what is about an event of a type is a thing of its kind
      },
      { clock, timeoutMs: options.timeoutMs, stopped: this.#loop.stopped, graceMs: STOP_GRACE_MS },
    );
  }

  #keys({ eventId }: AutomationJob): Pick<AutomationContext, 'idempotencyKey' | 'lastingKey'> {
    const { name } = this.#automation;
    return {
      idempotencyKey: (suffix) => keyOf(['automation', name, eventId, suffix]),
      lastingKey: (suffix) => keyOf(['automation', name, suffix]),
    };
  }

  async #failed(job: AutomationJob, error: unknown, told: (outcome: RunOutcome) => void): Promise<void> {
    if (this.#loop.stopped.aborted) return this.#giveBack(job);
    if (!isOutage(error)) {
      told('failed');
      return this.#countAttempt(job, error);
    }
    told('held_up');
    const { clock, options } = this.#deps;
    const ageMs = clock.now() - Date.parse(job.createdAt);
    if (ageMs > options.giveUpAfterMs) return this.#bury(job, 'outage_too_long', error);
    if (error instanceof ServiceError && error.isolated) return this.#putOff(job, ageMs);
    await this.#giveBack(job);
    this.#loop.pause(error);
  }

  async #giveBack(job: AutomationJob): Promise<void> {
    await this.#deps.jobs.retryLater(job.id, job.attempts, iso(this.#deps.clock.now()));
  }

  async #putOff(job: AutomationJob, ageMs: number): Promise<void> {
    await this.#retryIn(job, job.attempts, Math.min(Math.max(FIRST_PUT_OFF_MS, ageMs / 2), LAST_PUT_OFF_MS));
  }

  async #countAttempt(job: AutomationJob, error: unknown): Promise<void> {
    const { events, options } = this.#deps;
    events.automationFailed(this.#automation.name, error);
    const attempts = job.attempts + 1;
    if (attempts >= options.maxAttempts) {
      return this.#bury({ ...job, attempts }, 'attempts_exhausted', error);
    }
    await this.#retryIn(job, attempts, Math.min(FIRST_RETRY_MS * 2 ** job.attempts, LAST_RETRY_MS));
  }

  async #retryIn(job: AutomationJob, attempts: number, waitMs: number): Promise<void> {
    const dueAt = this.#deps.clock.now() + waitMs * (0.75 + this.#deps.random() / 2);
    await this.#deps.jobs.retryLater(job.id, attempts, iso(dueAt));
    this.#loop.dueAt(dueAt);
  }

  async #bury(job: AutomationJob, reason: string, error: unknown): Promise<void> {
    const detail = error instanceof Error ? error.message : String(error);
    const letter = letterOf(job, job.attempts, iso(this.#deps.clock.now()), reason, detail);
    await this.#deps.jobs.bury([{ id: job.id, letter }]);
    this.#deps.events.automationBuried(this.#automation.name, reason);
  }
}

export function letterOf(
  { automation, eventId, eventType }: Pick<AutomationJob, 'automation' | 'eventId' | 'eventType'>,
  attempts: number,
  at: string,
  reason: string,
  detail: string,
): NewDeadLetter {
  return {
    kind: 'automation',
    reason,
    detail: detail.slice(0, MAX_DETAIL),
    automation,
    eventId,
    outboxId: null,
    eventType,
    bodyBase64: null,
    attempts,
    createdAt: at,
  };
}

/** Suffixes may be anything, also what is not to be stored. */
function keyOf(parts: readonly (string | number)[]): string {
  return lastingKeyOf(createHash('sha256').update(JSON.stringify(parts)).digest('hex'));
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
