/**
 * What the caches of several instances share, through Redis: values, and the news that something has changed.
 *
 * - down: Redis is not asked, and nobody tells us anything. Memory is emptied on the way into this state and again on
 *   the way out, and in between entries are believed for a short time only.
 * - up: the subscription answers a ping every BEAT_MS, so what others publish has reached us.
 *
 * There may be a debt. `values`: Redis may have restarted with what it held long ago. `owed`: it holds what should have
 * been forgotten, because we could not say so, or because another instance has vanished that may have had something to
 * say. Either is paid before Redis is asked for a value again: every value is made unreachable, and in the second case
 * all instances are told to forget everything.
 *
 * Requests wait for nothing here but `look` and `catchUp`, which have short limits and rest after an answer that was
 * late or none.
 */
import type { Clock } from '../domain/clock.ts';
import { messageOf, readMessage, type Subject } from './messages.ts';
import type { Answer, Place, RedisClient } from './redis-client.ts';
import { isTooEarly, reasonOf } from './redis-errors.ts';
import type { Look, Member, Shared } from './shared.ts';
import { within } from './within.ts';

/** How often both connections are asked whether they are there, and how long they have to answer. */
const BEAT_MS = 200;
const PING_LIMIT_MS = 300;
/** Memory is believed for this long after the sending of the last ping that was answered. */
const HEARD_MS = 900;

const CATCH_UP_LIMIT_MS = 60;
const LOOK_LIMIT_MS = 40;
const REST_AFTER_FAILURE_MS = 1_000;
/** Several looks of one request must not add up. */
const LATE_LOOK_MS = 20;
const REST_AFTER_LATE_MS = 200;
/** So many pings in a row that took longer than this: Redis is of no use. */
const SLOW_PING_MS = 50;
const SLOW_PINGS = 3;

const FORGET_LIMIT_MS = 300;
const RECOVERY_LIMIT_MS = 1_000;
const LEAVE_LIMIT_MS = 100;

const MAX_UNANSWERED = 1_000;
/** In one message. */
const MAX_SUBJECTS = 500;
const MAX_VALUE_LENGTH = 512 * 1024;

/** What of the client is used here; tests have another. */
export type RedisPort = Pick<
  RedisClient,
  'open' | 'close' | 'ping' | 'listen' | 'arrive' | 'leave' | 'look' | 'keep' | 'forget' | 'forgetAll'
>;

export interface SharedTierDeps {
  readonly client: RedisPort;
  readonly clock: Clock;
  /** Of this process; told apart from the others by it. */
  readonly instanceId: string;
  readonly onUp: () => void;
  /** Once per change of state. `reason`: a word, no address. */
  readonly onDown: (reason: string) => void;
  readonly onRead: (read: { cache: string; tier: 'redis'; result: 'HIT' | 'MISS' | 'ERROR' }) => void;
}

export class SharedTier {
  readonly #deps: SharedTierDeps;
  readonly #members = new Map<string, Member>();
  readonly #closed = new AbortController();
  #state: 'unknown' | 'down' | 'up' = 'unknown';
  #namespace: string | null = null;
  #debt: 'none' | 'values' | 'owed' = 'none';
  /** Not published yet: a moment. */
  readonly #unsaid: { subject: Subject; keys: readonly string[] }[] = [];
  /** Counts doubts, and what has ended a connection: to see that it happened meanwhile. */
  #doubts = 0;
  #losses = 0;
  #heardAt = Number.NEGATIVE_INFINITY;
  #pingsMs: number[] = [];
  /** Settles when it is known whether we hear. */
  #pulse = Promise.withResolvers<void>();
  #restUntil = Number.NEGATIVE_INFINITY;
  #unanswered = 0;
  #running: Promise<void> | null = null;
  #woken = new AbortController();
  readonly #known = Promise.withResolvers<void>();

  constructor(deps: SharedTierDeps) {
    this.#deps = deps;
  }

  join(member: Member): Shared {
    this.#members.set(member.name, member);
    return {
      believes: (readAt) => this.#isHearing() || this.#isRecent(readAt, member.aloneMs),
      catchUp: () => this.#catchUp(),
      mayJoin: (startedAt) => this.#state === 'up' || this.#isRecent(startedAt, member.aloneMs),
      look: (key, subject) => this.#look(member.name, key, subject),
      forget: (subject, keys) => this.#forget({ cache: member.name, subject }, keys),
    };
  }

  /** @param namespace values are shared by those who give the same one */
  start(namespace: string): void {
    this.#namespace = namespace;
    this.#deps.client.open(namespace);
    this.#running ??= this.#run();
  }

  /** Resolves when Redis has answered, has been found away, or has said nothing for a while. */
  async settled(limitMs: number): Promise<void> {
    await this.#within(this.#known.promise, limitMs).catch(() => {});
  }

  get health(): { status: 'ok' | 'down'; latencyMs: number | null } {
    const isOk = this.#state === 'up' && !this.#isSlow();
    return { status: isOk ? 'ok' : 'down', latencyMs: this.#pingsMs[0] ?? null };
  }

  /** Ends at once, whatever Redis does. */
  async close(): Promise<void> {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new Error('closed'));
    this.wake();
    // Who owes something goes without taking leave: the next to arrive pays.
    if (this.#state === 'up' && this.#debt === 'none')
      await this.#within(this.#deps.client.leave(), LEAVE_LIMIT_MS).catch(() => {});
    this.#deps.client.close();
    await this.#running;
  }

  /** Not to wait for the next beat: a connection is there, or somebody wants to know. */
  wake(): void {
    this.#woken.abort(new Error('woken'));
  }

  /** A message of any instance. */
  heard(text: string): void {
    const message = readMessage(text);
    if (message === null || message.from === this.#deps.instanceId) return;
    if (message.forget === 'all') this.#forgetAllHere();
    else for (const { cache, subject } of message.forget) this.#members.get(cache)?.forget(subject);
  }

  /** A connection has ended. `values`: Redis may have restarted, with data of long ago. */
  lost({ values, reason }: { values: boolean; reason: unknown }): void {
    if (values) this.#doubt('values');
    this.#losses += 1;
    this.#fall(reason);
  }

  async #run(): Promise<void> {
    while (!this.#closed.signal.aborted) {
      await this.#beat();
      if (this.#state !== 'unknown') this.#known.resolve();
      await this.#deps.clock.sleep(BEAT_MS, this.#woken.signal).catch(() => {});
      if (this.#woken.signal.aborted) this.#woken = new AbortController();
    }
    this.#known.resolve();
  }

  async #beat(): Promise<void> {
    try {
      if (this.#state !== 'up') return await this.#rise();
      if (this.#debt !== 'none') await this.#pay();
      await this.#ping();
    } catch (error) {
      this.#fall(error);
    }
  }

  async #rise(): Promise<void> {
    const { client, onUp } = this.#deps;
    const losses = this.#losses;
    await this.#within(client.listen(), RECOVERY_LIMIT_MS);
    this.#forgetAllHere();
    if ((await this.#within(client.arrive(), RECOVERY_LIMIT_MS)) > 0) this.#doubt('owed');
    if (this.#debt !== 'none') await this.#pay();
    await this.#ping();
    if (losses !== this.#losses || this.#closed.signal.aborted) return;
    this.#state = 'up';
    onUp();
  }

  async #pay(): Promise<void> {
    const { client, instanceId } = this.#deps;
    const doubts = this.#doubts;
    const message = this.#debt === 'owed' ? messageOf(instanceId, 'all') : null;
    await this.#within(client.forgetAll(message), RECOVERY_LIMIT_MS);
    if (doubts === this.#doubts) this.#debt = 'none';
  }

  async #ping(): Promise<void> {
    const sentAt = this.#deps.clock.now();
    await this.#within(this.#deps.client.ping(), PING_LIMIT_MS);
    this.#heardAt = sentAt;
    this.#beatPulse();
    this.#pingsMs = [this.#deps.clock.now() - sentAt, ...this.#pingsMs].slice(0, SLOW_PINGS);
  }

  #fall(reason: unknown): void {
    const before = this.#state;
    // While a first connection is being made, a command that comes too early says nothing.
    if (before === 'unknown' && isTooEarly(reason)) return;
    this.#state = 'down';
    this.#beatPulse();
    if (before === 'up') this.#forgetAllHere();
    this.#known.resolve();
    if (before !== 'down' && !this.#closed.signal.aborted) this.#deps.onDown(reasonOf(reason));
  }

  async #catchUp(): Promise<void> {
    if (this.#state !== 'up' || this.#isHearing()) return;
    if (this.#restUntil > this.#deps.clock.now()) return;
    this.wake();
    await this.#within(this.#hearing(), CATCH_UP_LIMIT_MS).catch(() => this.#rest(REST_AFTER_FAILURE_MS));
  }

  async #hearing(): Promise<void> {
    while (this.#state === 'up' && !this.#isHearing()) await this.#pulse.promise;
  }

  #beatPulse(): void {
    this.#pulse.resolve();
    this.#pulse = Promise.withResolvers();
  }

  #doubt(debt: 'values' | 'owed'): void {
    if (this.#debt !== 'owed') this.#debt = debt;
    this.#doubts += 1;
  }

  #forgetAllHere(): void {
    for (const member of this.#members.values()) member.forgetAll();
  }

  #forget(subject: Subject, keys: readonly string[]): void {
    if (this.#namespace === null || this.#state !== 'up') {
      this.#doubt('owed');
      return;
    }
    // What is said in one go is one message.
    if (this.#unsaid.length === 0) queueMicrotask(() => this.#say());
    this.#unsaid.push({ subject, keys });
    if (this.#unsaid.length >= MAX_SUBJECTS) this.#say();
  }

  #say(): void {
    const { client, instanceId } = this.#deps;
    const said = this.#unsaid.splice(0);
    const namespace = this.#namespace;
    if (said.length === 0 || namespace === null) return;
    if (this.#unanswered >= MAX_UNANSWERED) {
      this.#doubt('owed');
      return;
    }
    const subjects = said.map(({ subject }) => subject);
    const places = said.flatMap(({ subject, keys }) => keys.map((key) => ({ namespace, key, ...subject })));
    const message = messageOf(instanceId, subjects);
    this.#counted(client.forget(subjects, places, message), FORGET_LIMIT_MS).catch(() => this.#doubt('owed'));
  }

  async #look(cache: string, key: string, subject: string): Promise<Look | null> {
    const namespace = this.#namespace;
    if (namespace === null || !this.#isUsable()) return null;
    this.#say();
    const { client, clock, onRead } = this.#deps;
    const place = { namespace, cache, key, subject };
    const askedAt = clock.now();
    try {
      const answer = await this.#counted(client.look(place), LOOK_LIMIT_MS);
      if (clock.now() - askedAt > LATE_LOOK_MS) this.#rest(REST_AFTER_LATE_MS);
      const look = this.#read(place, answer);
      onRead({ cache, tier: 'redis', result: look.found === null ? 'MISS' : 'HIT' });
      return look;
    } catch {
      this.#rest(REST_AFTER_FAILURE_MS);
      onRead({ cache, tier: 'redis', result: 'ERROR' });
      return null;
    }
  }

  /** @throws when the text is not what `keep` has put there */
  #read(place: Place, { names, found }: Answer): Look {
    const keep = (value: unknown, ttlMs: number) => {
      const text = JSON.stringify(value);
      if (this.#state !== 'up' || this.#unanswered >= MAX_UNANSWERED) return;
      if (text.length > MAX_VALUE_LENGTH || ttlMs < 1) return;
      this.#counted(this.#deps.client.keep(place, names, text, ttlMs), RECOVERY_LIMIT_MS).catch(() => {});
    };
    return { found: found && { value: JSON.parse(found.text), ttlMs: found.ttlMs }, keep };
  }

  #isUsable(): boolean {
    return (
      this.#state === 'up' &&
      this.#debt === 'none' &&
      !this.#isSlow() &&
      this.#restUntil <= this.#deps.clock.now() &&
      this.#unanswered < MAX_UNANSWERED
    );
  }

  #isHearing(): boolean {
    return this.#state === 'up' && this.#isRecent(this.#heardAt, HEARD_MS);
  }

  #isRecent(at: number, ms: number): boolean {
    return this.#deps.clock.now() - at < ms;
  }

  #isSlow(): boolean {
    return this.#pingsMs.length === SLOW_PINGS && this.#pingsMs.every((ms) => ms > SLOW_PING_MS);
  }

  #rest(ms: number): void {
    this.#restUntil = Math.max(this.#restUntil, this.#deps.clock.now() + ms);
  }

  async #counted<T>(answer: Promise<T>, limitMs: number): Promise<T> {
    this.#unanswered += 1;
    const answered = () => {
      this.#unanswered -= 1;
    };
    answer.then(answered, answered);
    return this.#within(answer, limitMs);
  }

  #within<T>(answer: Promise<T>, limitMs: number): Promise<T> {
    return within(this.#deps.clock, answer, limitMs);
  }
}
