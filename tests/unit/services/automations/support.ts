import { randomUUID } from 'node:crypto';
import type { DeadLetter } from '../../../../src/domain/dead-letters.ts';
import type { WebhookEvent } from '../../../../src/domain/webhook-events.ts';
import {
  type Automation,
  type AutomationContext,
  type AutomationServices,
  on,
} from '../../../../src/services/automations/automation.ts';
import { AutomationEngine } from '../../../../src/services/automations/engine.ts';
import type { Hydrated } from '../../../../src/services/automations/ports.ts';
import { AutomationJobsStore } from '../../../../src/store/automation-jobs.ts';
import { type Database, migrate, openDatabase } from '../../../../src/store/database.ts';
import { DeadLettersStore } from '../../../../src/store/dead-letters.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';

export type Run = (context: AutomationContext<'record.updated'>) => Promise<void>;

/** An engine on a database in memory, with time that moves when a test says so. */
export class EngineBench {
  readonly clock = new ManualClock();
  readonly jobs: AutomationJobsStore;
  readonly pauses: string[] = [];
  readonly told: string[] = [];
  readonly #database: Database;
  mayWork = true;
  maxPending = 1_000;
  read: () => Promise<Hydrated> = async () => ({ thing: null, changed: null });
  #engine: AutomationEngine | null = null;
  #lastEvent = 0;

  private constructor(database: Database) {
    this.#database = database;
    this.jobs = new AutomationJobsStore(database);
  }

  static async make(): Promise<EngineBench> {
    const database = openDatabase('sqlite::memory:');
    await migrate(database);
    return new EngineBench(database);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stopping = this.stop();
    await this.clock.advance(10_000);
    await stopping;
    await this.#database.destroy();
  }

  get engine(): AutomationEngine {
    if (this.#engine === null) throw new Error('not started');
    return this.#engine;
  }

  build(automations: readonly Automation[]): AutomationEngine {
    const { jobs, clock, pauses, told } = this;
    return new AutomationEngine({
      automations,
      jobs,
      log: { add: (some) => jobs.add(some) },
      things: { read: () => this.read() },
      services: {} as AutomationServices, // what is run here uses none
      mayWork: () => this.mayWork,
      clock,
      random: () => 0.5,
      events: {
        automationRan: (name, outcome, { attempt }) => told.push(`${name} ${outcome} ${attempt}`),
        automationFailed() {},
        automationBuried: (name, reason) => told.push(`${name} ${reason}`),
        automationPaused: (name) => pauses.push(name),
      },
      options: { window: 2, timeoutMs: 30_000, maxAttempts: 3, giveUpAfterMs: 72 * 3_600_000 },
      maxPending: this.maxPending,
      tellOthers() {},
    });
  }

  async start(runs: Readonly<Record<string, Run>>): Promise<void> {
    const automations = Object.entries(runs).map(([name, run]) => on('record.updated', { name, run }));
    this.#engine = this.build(automations);
    await this.engine.sweep(this.now());
    this.engine.start();
    await settle();
  }

  async stop(): Promise<void> {
    await this.#engine?.stop();
    this.#engine = null;
  }

  /** @returns the event's id */
  async event(recordId: string = randomUUID(), id: number = this.#lastEvent + 1): Promise<number> {
    this.#lastEvent = Math.max(this.#lastEvent, id);
    const ids = { object_id: randomUUID(), record_id: recordId };
    const type = 'record.updated';
    const event: WebhookEvent = { type, workspaceId: null, ids, raw: { event_type: type, id: ids } };
    await this.engine.add(id, event);
    await settle();
    return id;
  }

  async letters(): Promise<DeadLetter[]> {
    return (await new DeadLettersStore(this.#database).list('automation', 0, 1_000)).rows;
  }

  async pending(): Promise<number> {
    return [...(await this.jobs.pending()).values()].reduce((sum, count) => sum + count, 0);
  }

  now(): string {
    return new Date(this.clock.now()).toISOString();
  }
}
