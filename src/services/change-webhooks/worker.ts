import type { ChangeDelivery } from '../../domain/change-webhooks.ts';
import type { Change } from '../../domain/changes.ts';
import type { Clock } from '../../domain/clock.ts';
import type { NewDeadLetter } from '../../domain/dead-letters.ts';
import { ServiceError } from '../errors.ts';
import { withTimeLimit } from '../time-limit.ts';
import { WorkLoop } from '../work-loop.ts';
import { type Endpoint, messageOf, type Signer } from './message.ts';
import { judgeAnswer, judgeError, type Outcome, retryInMs, TimeLimitError } from './outcome.ts';
import type {
  ChangeDeliveryStore,
  ChangeSender,
  ChangeWebhookStore,
  DeliveryLog,
  PushEvents,
  ShowChange,
} from './ports.ts';
import { isPushable, type PushRules } from './pushable.ts';

export interface PushOptions {
  /** Deliveries to one address at once. */
  readonly window: number;
  /** Of one attempt. */
  readonly timeoutMs: number;
  /** Waits between the attempts at one delivery. */
  readonly retrySeconds: readonly number[];
  readonly disableAfterMs: number;
  /** Deliveries to one address that may be laid out. */
  readonly maxPending: number;
}

export interface PushWorkerDeps {
  readonly webhooks: ChangeWebhookStore;
  readonly deliveries: ChangeDeliveryStore;
  readonly log: DeliveryLog;
  readonly sender: ChangeSender;
  readonly signer: Signer;
  readonly show: ShowChange;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly events: PushEvents;
  readonly options: PushOptions;
  readonly rules: PushRules;
}

/** Changes that are looked at per transaction. */
const STEP = 500;
/** Deliveries that are looked for at once. */
const AHEAD = 100;
/** How often the database is asked for what other instances have written. */
const LOOK_MS = 1_000;
/** Failures in a row after which an address counts as down. */
const DOWN_AFTER = 3;
/** The longest wait between two tries of an address that is down. */
const LAST_PAUSE_MS = 60_000;
/** How long a delivery may go on when the service stops. */
const STOP_GRACE_MS = 2_000;

/**
 * Pushes changes to one address: those of one thing one after the other, others side by side.
 *
 *   up ── three failures in a row ──► down ── a success ──► up
 *
 * up: as many deliveries at once as the window holds. down: one at a time, after pauses that grow to a minute, so that
 * whoever is in trouble is not kept in it and the others' database is not kept busy. Each delivery has its own schedule
 * besides. Only whoever has the lease works.
 */
export class PushWorker {
  readonly endpoint: Endpoint;
  readonly #deps: PushWorkerDeps;
  readonly #loop: WorkLoop<ChangeDelivery>;
  #leasedUntil = 0;
  #failures = 0;
  /** Found, and not taken in hand yet: to look for them costs more than to deliver them. */
  #ready: ChangeDelivery[] = [];

  constructor(endpoint: Endpoint, deps: PushWorkerDeps) {
    const { clock, random, events, options } = deps;
    this.endpoint = endpoint;
    this.#deps = deps;
    this.#loop = new WorkLoop<ChangeDelivery>({
      source: {
        due: (now, _afterId, inHand, limit) => this.#due(now, inHand, limit),
        nextDueAt: (after) => this.#nextDueAt(after),
      },
      settle: (delivery) => this.#settle(delivery),
      mayWork: () => true,
      onPaused: (waitMs, error) => events.pushPaused(endpoint.id, waitMs, error),
      clock,
      random,
      window: options.window,
      lastPauseMs: LAST_PAUSE_MS,
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** There may be something to do. */
  wake(): void {
    this.#loop.wake();
  }

  /** It is to be tried at once, whatever was before. */
  resume(): void {
    this.#failures = 0;
    this.#ready = [];
    this.#loop.resume();
  }

  /** @param untilMs 0: another instance has it */
  lease(untilMs: number): void {
    const isNew = !this.#isLeased();
    this.#leasedUntil = untilMs;
    if (isNew && untilMs > 0) this.#loop.wake();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  #isLeased(): boolean {
    return this.#deps.clock.now() < this.#leasedUntil;
  }

  async #due(now: string, inHand: ReadonlySet<number>, limit: number): Promise<ChangeDelivery[]> {
    if (!this.#isLeased()) {
      this.#ready = [];
      return [];
    }
    const room = this.#failures >= DOWN_AFTER ? Math.min(limit, 1 - inHand.size) : limit;
    if (room <= 0) return [];
    if (this.#ready.length === 0) this.#ready = await this.#findReady(now, inHand);
    return this.#ready.splice(0, room);
  }

  /** Each is the first of its thing, and stays so: while it waits here, nobody overtakes it. */
  async #findReady(now: string, inHand: ReadonlySet<number>): Promise<ChangeDelivery[]> {
    const { webhooks, deliveries } = this.#deps;
    const { id } = this.endpoint;
    const { active, behind } = await webhooks.look(id);
    if (!active) return [];
    let rows = await deliveries.due(id, now, inHand, AHEAD);
    for (let more = behind; more && rows.length < AHEAD; ) {
      more = await this.#plan();
      rows = await deliveries.due(id, now, inHand, AHEAD);
    }
    return rows;
  }

  /** @returns whether there may be more to lay out */
  async #plan(): Promise<boolean> {
    const { deliveries, options, rules } = this.#deps;
    const { id } = this.endpoint;
    const room = options.maxPending - (await deliveries.countPending(id));
    if (room <= 0) return false;
    const step = Math.min(STEP, room);
    const looked = await deliveries.plan(id, step, (change, syncs) => isPushable(change, syncs, rules));
    return looked === step;
  }

  async #nextDueAt(after: string): Promise<string> {
    const look = iso(Date.parse(after) + LOOK_MS);
    if (!this.#isLeased() || this.#ready.length > 0) return look;
    const next = await this.#deps.deliveries.nextDueAt(this.endpoint.id, after);
    return next !== null && next < look ? next : look;
  }

  async #settle(delivery: ChangeDelivery): Promise<void> {
    const { clock, deliveries } = this.#deps;
    const change = await deliveries.change(delivery.seq);
    // What is to be told is kept until it is told; what somebody has deleted by hand cannot be.
    if (change === undefined) return this.#log(delivery);
    if (!this.#isLeased()) return;
    const outcome = await this.#attempt(change);
    if (outcome === null) return;
    const facts = {
      attempt: delivery.attempts + 1,
      lagSeconds: (clock.now() - Date.parse(change.at)) / 1000,
    };
    if (outcome.kind === 'delivered') {
      await this.#log(delivery);
      this.#failures = 0;
      this.#loop.succeeded();
      this.#deps.events.pushed(this.endpoint.id, 'delivered', facts);
    } else if (outcome.kind === 'gone') {
      await this.#disable('answered 410 Gone');
    } else {
      await this.#failed(delivery, change, outcome, facts);
    }
  }

  /** @returns null when the service stops in the middle: then it is made again */
  async #attempt(change: Change): Promise<Outcome | null> {
    const { clock, sender, signer, show, options } = this.#deps;
    const { stopped } = this.#loop;
    const message = messageOf(change, show);
    const headers = signer.headers(message, clock.now());
    let outcome: Outcome = judgeError(new TimeLimitError(options.timeoutMs));
    try {
      const ending = await withTimeLimit(
        async (signal) => {
          const answer = await sender.post({ url: this.endpoint.url, headers, body: message.body, signal });
          outcome = judgeAnswer(answer, clock.now());
        },
        { clock, timeoutMs: options.timeoutMs, stopped, graceMs: STOP_GRACE_MS },
      );
      return ending === 'stopped' ? null : outcome;
    } catch (error) {
      return stopped.aborted ? null : judgeError(error);
    }
  }

  async #log({ id }: ChangeDelivery): Promise<void> {
    const { log, clock } = this.#deps;
    await log.add({ id, webhookId: this.endpoint.id, at: iso(clock.now()) });
  }

  async #failed(
    delivery: ChangeDelivery,
    change: Change,
    { error, retryAfterMs, busy }: Extract<Outcome, { kind: 'failed' }>,
    facts: { attempt: number; lagSeconds: number },
  ): Promise<void> {
    const { clock, deliveries, events, options, random } = this.#deps;
    const { id } = this.endpoint;
    const now = clock.now();
    const waitMs = retryInMs(facts.attempt, options.retrySeconds, retryAfterMs, random());
    const then =
      waitMs === null
        ? { letter: this.#letter(delivery, change, error, iso(now)) }
        : { nextAttemptAt: iso(now + waitMs) };
    const failingSince = await deliveries.failed({ delivery, error, at: iso(now), then });
    if (waitMs !== null) this.#loop.dueAt(now + waitMs);
    events.pushFailed(id, error);
    events.pushed(id, waitMs === null ? 'dead' : 'failed', facts);
    if (now - Date.parse(failingSince) >= options.disableAfterMs) {
      const hours = Math.round(options.disableAfterMs / 3_600_000);
      return this.#disable(`failed for ${hours} hours without one success; at last it ${error}`);
    }
    this.#failures += 1;
    if (this.#failures < DOWN_AFTER && !(busy && retryAfterMs !== null)) return;
    const asked = busy && retryAfterMs !== null ? { retryAfterSeconds: retryAfterMs / 1000 } : {};
    this.#loop.pause(new ServiceError('unavailable', `the address ${error}`, asked));
  }

  async #disable(reason: string): Promise<void> {
    const { webhooks, events, clock } = this.#deps;
    const { id } = this.endpoint;
    this.#ready = [];
    if (await webhooks.disable(id, reason, iso(clock.now()))) events.webhookDisabled(id, reason);
  }

  #letter(delivery: ChangeDelivery, change: Change, error: string, at: string): NewDeadLetter {
    return {
      kind: 'notify',
      reason: 'attempts_exhausted',
      detail: `${this.endpoint.host} ${error}`,
      deliveryId: delivery.id,
      eventId: null,
      outboxId: null,
      eventType: change.type,
      bodyBase64: null,
      attempts: delivery.attempts + 1,
      createdAt: at,
    };
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
