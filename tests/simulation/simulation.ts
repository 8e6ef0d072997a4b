import { SUBSCRIBED_EVENTS } from '../../src/domain/webhook-events.ts';
import { type Random, seededRandom, uuid } from '../mocks/core/random.ts';
import { createSandbox, type Sandbox } from '../mocks/sandbox.ts';
import { type Action, Dice } from './actions/action.ts';
import { ACTIONS } from './actions/index.ts';
import { API_KEY, configOf, type SimulatedConfig } from './config.ts';
import { StoredDatabase } from './database-store.ts';
import { BEGINNING_MS, beginSession, session } from './globals.ts';
import { type Asked, History, type Operation } from './history.ts';
import { Life } from './life.ts';
import { callService, deliveryFetch, type HttpAnswer, type HttpRequest, type Wire } from './network.ts';
import type { Plan, Step } from './plan.ts';
import { Witness } from './witness.ts';

/** How often a caller asks again who was not answered, or told to come later. */
const TRIES = 6;

/** A workspace, the service, everybody who uses either, and all that befalls them, for one plan. */
export class Simulation {
  readonly plan: Plan;
  readonly sandbox: Sandbox;
  readonly history = new History();
  readonly stored: StoredDatabase;
  /** What has happened, in words. */
  readonly story: string[] = [];
  /** What the service has logged as a warning or worse. */
  readonly log: string[] = [];
  readonly witness: Witness;
  /** The people of the beginning: of these no webhook tells that they were made. */
  readonly firstPeople: readonly string[];
  readonly #config: SimulatedConfig;
  readonly #wire: Wire;
  readonly #ids: Random;
  readonly #travel: Random;
  #life: Life | null = null;
  #lives = 0;
  /** How long the service is down after this life of it. @unit ms */
  #downMs = 0;
  /** Answers that will not be heard. */
  #deaf = 0;
  /** Those who have asked for a write and still care. */
  #callers = 0;
  /** Nobody starts it again. */
  #isOver = false;

  private constructor(plan: Plan, stored: StoredDatabase) {
    beginSession(plan.seed);
    session.skewMs = plan.skewMs;
    this.plan = plan;
    this.stored = stored;
    this.#travel = seededRandom(plan.seed ^ 0x7ab1);
    this.#ids = seededRandom(plan.seed ^ 0x1d5);
    const { time } = session;
    const travelMs = () => 2 + Math.floor(this.#travel() ** 3 * plan.travelMs);
    this.#wire = { time, latencies: { request: travelMs, answer: travelMs } };
    this.sandbox = createSandbox({
      seed: plan.seed,
      people: plan.people,
      companies: 3,
      deals: 2,
      now: () => time.now(),
      timers: time,
      deliverTo: 'http://service/webhooks',
      fetch: deliveryFetch(this.#wire, () => this.#listener()),
    });
    this.firstPeople = [...this.sandbox.world.object('people').table.inOrder()].map(({ id }) => id);
    this.witness = new Witness(this.sandbox, this.history, () => time.now());
    this.#config = configOf(this.#subscribe());
  }

  static async create(plan: Plan, name: string): Promise<Simulation> {
    return new Simulation(plan, await StoredDatabase.create(name));
  }

  get now(): number {
    return session.time.now();
  }

  #subscribe(): string {
    const subscriptions = SUBSCRIBED_EVENTS.map((event_type) => ({ event_type, filter: null }));
    const made = this.sandbox.act({
      method: 'POST',
      path: '/webhooks',
      body: { data: { target_url: 'https://bridge.example.com/webhooks', subscriptions } },
    });
    return String((made as { secret: string }).secret);
  }

  #listener(): Life | null {
    return this.#life?.isListening === true ? this.#life : null;
  }

  say(line: string): void {
    this.story.push(`${((this.now - BEGINNING_MS) / 1000).toFixed(3).padStart(9)} s  ${line}`);
  }

  later(ms: number, what: () => unknown): void {
    session.time.setTimeout(() => void what(), ms);
  }

  // --- the service's lives

  /** How many there have been. */
  get lives(): number {
    return this.#lives;
  }

  async start(): Promise<void> {
    this.#lives += 1;
    const number = this.#lives;
    const life: Life = new Life({
      number,
      config: this.#config,
      databasePath: this.stored.path,
      witness: this.witness,
      wire: this.#wire,
      random: seededRandom(this.plan.seed ^ (number * 0x9e37)),
      newId: () => uuid(this.#ids),
      databaseMs: () => (this.plan.databaseMs === 0 ? 0 : Math.floor(this.#travel() * this.plan.databaseMs)),
      onLog: (line) => this.#logged(line),
    });
    this.#life = life;
    // By a crash or by a stop, whichever comes first.
    void life.ended.then((how) => {
      this.say(`the service is ${how}`);
      if (!this.#isOver) this.later(this.#downMs, () => this.start());
    });
    await life.start();
  }

  #logged(line: string): void {
    const { component, msg, where, reason, err } = JSON.parse(line);
    const text = [component, msg, where, reason, err?.message]
      .filter((part) => part !== undefined)
      .join(': ');
    this.log.push(text);
    this.say(`log: ${text}`);
  }

  /** Kills the service at one of its next steps. */
  crash({ afterSteps, downMs }: { afterSteps: number; downMs: number }): void {
    this.#downMs = downMs;
    this.#life?.gate.crashAfter(afterSteps);
  }

  /** From now on all goes well. */
  endNoise(): void {
    this.sandbox.clearFaults();
    this.#life?.gate.spare();
    this.#deaf = 0;
    this.say('the noise ends');
  }

  restart(downMs: number): void {
    if (this.#life?.isListening !== true) return;
    this.#downMs = downMs;
    this.say('the service is told to stop');
    void this.#life.stop();
  }

  // --- people

  /** What somebody does in Attio; what it refuses is left undone. */
  person(words: string, act: () => unknown): void {
    const done = this.witness.observe(null, () => {
      try {
        act();
        return true;
      } catch {
        return false;
      }
    });
    if (done) this.history.edits += 1;
    this.say(done ? `somebody in Attio ${words}` : `somebody in Attio cannot do: ${words}`);
  }

  /** An address that somebody has or had, or may have. */
  email(dice: Dice): string {
    return dice.of(this.#emails);
  }

  get #emails(): readonly [string, ...string[]] {
    return ['new-1@example.org', ...this.witness.firstEmails, 'new-2@example.org', 'new-3@example.org'];
  }

  contactId(dice: Dice): string | undefined {
    return this.#pickId(dice, `select id from entity where kind = 'people' order by created_at, id`);
  }

  taskId(dice: Dice): string | undefined {
    return this.#pickId(dice, `select id from item where kind = 'tasks' order by created_at, id`);
  }

  #pickId(dice: Dice, sql: string): string | undefined {
    return dice.pick(this.stored.allUnlessBusy<{ id: string }>(sql) ?? [])?.id;
  }

  // --- internal systems

  async call(request: Omit<HttpRequest, 'headers'>, key: string | null = null): Promise<HttpAnswer | null> {
    const headers: Record<string, string> = { authorization: `Bearer ${API_KEY}` };
    if (request.body !== null) headers['content-type'] = 'application/json';
    if (key !== null) headers['idempotency-key'] = key;
    try {
      return await callService(this.#wire, () => this.#listener(), { ...request, headers });
    } catch {
      return null;
    }
  }

  write(operation: Operation): void {
    const asked: Asked = { ...operation, sentAt: this.now, endedAt: this.now, status: null, answer: null };
    this.history.asked.push(asked);
    this.#callers += 1;
    void this.#ask(asked).finally(() => {
      this.#callers -= 1;
    });
  }

  /** A POST is sent again with its key until it is answered; the others are given up. */
  async #ask(asked: Asked): Promise<void> {
    const { n, method, path, body } = asked;
    const text = body === null ? null : JSON.stringify(body);
    const key = method === 'POST' ? `key-${n}` : null;
    for (let attempt = 1; attempt <= TRIES; attempt += 1) {
      const answer = this.#hear(await this.call({ method, path, body: text }, key));
      asked.endedAt = this.now;
      asked.status = answer?.status ?? null;
      asked.answer = answer === null ? null : JSON.parse(answer.body);
      this.say(`w${n}: ${method} ${path} ${text ?? ''} → ${answer?.status ?? 'no answer'}`);
      const isOver = answer !== null && answer.status < 500 && answer.status !== 409;
      if (isOver || key === null) return;
      await new Promise<void>((resolve) => this.later(2_000 * attempt, resolve));
    }
  }

  #hear(answer: HttpAnswer | null): HttpAnswer | null {
    if (answer === null || this.#deaf === 0) return answer;
    this.#deaf -= 1;
    return null;
  }

  /** Callers do not hear what is answered to their next writes. */
  loseAnswers(count: number): void {
    this.#deaf += count;
  }

  sync(what: string): void {
    this.say(`full sync of ${what}`);
    void this.call({ method: 'POST', path: `/v1/sync/${what}`, body: null });
  }

  // --- the whole of it

  /** Plays the plan's steps. */
  async play(): Promise<void> {
    await session.time.hold(this.start());
    this.sync('all');
    for (const step of this.plan.steps) {
      session.time.setTimeout(() => this.#do(step), BEGINNING_MS + step.at - this.now);
    }
    const last = this.plan.steps.at(-1)?.at ?? 0;
    await session.time.runUntil(BEGINNING_MS + last + 1_000);
  }

  #do({ n, action, dice }: Step): void {
    const { run }: Action = ACTIONS[action];
    void run(this, new Dice(n, dice));
  }

  /** Lets time pass until something is so. @returns false when it has not come to be */
  async until(condition: () => boolean, limitMs: number): Promise<boolean> {
    const end = this.now + limitMs;
    while (!condition()) {
      if (this.now >= end) return false;
      await session.time.runUntil(Math.min(end, this.now + 500));
    }
    return true;
  }

  async pass(ms: number): Promise<void> {
    await session.time.runUntil(this.now + ms);
  }

  /** Works off a promise of the simulation's own. */
  async finished<T>(work: Promise<T>, limitMs: number): Promise<T | null> {
    const outcome: { value: T | null; isDone: boolean } = { value: null, isDone: false };
    void work.then((value) => {
      outcome.value = value;
      outcome.isDone = true;
    });
    await this.until(() => outcome.isDone, limitMs);
    return outcome.value;
  }

  /** A request of the checks. Null: no answer. */
  ask(method: 'GET' | 'POST', path: string): Promise<HttpAnswer | null> {
    return this.finished(this.call({ method, path, body: null }), 3_600_000);
  }

  get isUp(): boolean {
    return this.#listener() !== null;
  }

  /** What is yet to be done, in words; nothing: all is quiet. */
  get unfinished(): string[] {
    const waiting = ['waiting', 'sending', 'retrying'];
    const deliveries = this.sandbox.deliveries().filter(({ state }) => waiting.includes(state)).length;
    const rows = (table: string, status: string) =>
      this.stored.allUnlessBusy<{ n: number }>(
        `select count(*) as n from ${table} where status = '${status}'`,
      )?.[0]?.n ?? 'some';
    const left = {
      'service that is down': this.isUp ? 0 : 1,
      deliveries,
      callers: this.#callers,
      'events in the inbox': rows('inbox', 'pending'),
      'writes in the outbox': rows('outbox', 'pending'),
      'full syncs': rows('sync_run', 'running'),
    };
    return Object.entries(left).flatMap(([what, count]) => (count === 0 ? [] : [`${count} ${what}`]));
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.sandbox.close();
    const life = this.#life;
    if (life !== null && !life.gate.isDead) life.gate.crash();
    await session.time.settle();
    this.stored[Symbol.dispose]();
  }
}
