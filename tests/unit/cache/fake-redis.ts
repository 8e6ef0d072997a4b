import type { Subject } from '../../../src/cache/messages.ts';
import type { Answer, Place } from '../../../src/cache/redis-client.ts';
import type { Member } from '../../../src/cache/shared.ts';
import { type RedisPort, SharedTier } from '../../../src/cache/shared-tier.ts';
import { ManualClock } from '../../support/manual-clock.ts';

type Command = 'ping' | 'listen' | 'arrive' | 'leave' | 'look' | 'keep' | 'forget' | 'forgetAll';

/** A client whose answers a test decides: after how long, or not at all. */
export class FakeRedis implements RedisPort {
  readonly #clock: ManualClock;
  readonly calls: Command[] = [];
  readonly kept: { names: string; text: string; ttlMs: number }[] = [];
  readonly messages: string[] = [];
  /** Of every answer, or of one command's; `never` for as long as the test goes. */
  delayMs: number | 'never' = 0;
  readonly delays = new Map<Command, number | 'never'>();
  readonly failing = new Set<Command>();
  answer: Answer = { names: 'names', found: null };
  gone = 0;
  isOpen = false;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  open(): void {
    this.isOpen = true;
  }

  close(): void {
    this.isOpen = false;
  }

  count(command: Command): number {
    return this.calls.filter((call) => call === command).length;
  }

  ping = () => this.#answer('ping', undefined);
  listen = () => this.#answer('listen', undefined);
  arrive = () => this.#answer('arrive', this.gone);
  leave = () => this.#answer('leave', undefined);
  look = (_place: Place) => this.#answer('look', this.answer);

  keep = (_place: Place, names: string, text: string, ttlMs: number) => {
    this.kept.push({ names, text, ttlMs });
    return this.#answer('keep', undefined);
  };

  forget = (_subjects: readonly Subject[], _places: readonly Place[], message: string) => {
    this.messages.push(message);
    return this.#answer('forget', undefined);
  };

  forgetAll = (message: string | null) => {
    this.messages.push(message ?? 'values');
    return this.#answer('forgetAll', undefined);
  };

  async #answer<T>(command: Command, value: T): Promise<T> {
    this.calls.push(command);
    const delayMs = this.delays.get(command) ?? this.delayMs;
    if (delayMs === 'never') return new Promise(() => {});
    if (delayMs > 0) await this.#clock.sleep(delayMs);
    if (this.failing.has(command)) throw Object.assign(new Error('no'), { code: 'EFAIL' });
    return value;
  }
}

export function buildTier() {
  const clock = new ManualClock();
  const redis = new FakeRedis(clock);
  const told: string[] = [];
  const reads: string[] = [];
  const tier = new SharedTier({
    client: redis,
    clock,
    instanceId: 'me',
    onUp: () => told.push('up'),
    onDown: (reason) => told.push(`down ${reason}`),
    onRead: ({ cache, result }) => reads.push(`${cache} ${result}`),
  });
  return { clock, redis, tier, told, reads };
}

/** A cache that only remembers what it was told to forget. */
export function member(name = 'things'): Member & { forgotten: string[] } {
  const forgotten: string[] = [];
  return {
    name,
    aloneMs: 900,
    forgotten,
    forget: (subject) => forgotten.push(subject),
    forgetAll: () => forgotten.push('*'),
  };
}
