import type { Redis } from 'ioredis';
import type { Subject } from './messages.ts';
import { redisDriver } from './redis-driver.ts';

/** Of everything that the service keeps in Redis; the number changes when the shape of what is kept does. */
const PREFIX = 'attio-bridge:cache:1:';
/** Of what the instances of one deployment share beside values; the deployment's id follows. */
const SHARED = 'attio-bridge:shared:1:';
const CHANNEL = `${PREFIX}forget`;
const EPOCH = `${PREFIX}epoch`;
const INSTANCES = `${PREFIX}instances`;

/** A connection that is asked and says nothing for this long is given up for a new one. */
const SILENCE_MS = 5_000;
const MAX_RECONNECT_MS = 500;

/**
 * A value is kept under two random names: one of all values (the epoch) and one of its subject. Both are looked up
 * with it, and forgetting is deleting a name: what was kept, or is about to be kept, under the old one is never found
 * again, in whatever namespace it lies. A name that Redis evicts or lets expire only costs a miss.
 */
const LOOK = `
local epoch = redis.call('GET', KEYS[1])
if not epoch then epoch = ARGV[1] redis.call('SET', KEYS[1], epoch) end
local name = redis.call('GET', KEYS[2])
if not name then name = ARGV[1] redis.call('SET', KEYS[2], name, 'PX', ARGV[2]) end
local names = epoch .. name
local kept = redis.call('GET', KEYS[3])
if kept and string.sub(kept, 1, #names) == names then
  return {names, string.sub(kept, #names + 1), redis.call('PTTL', KEYS[3])}
end
return {names}`;

const KEEP = `
local epoch = redis.call('GET', KEYS[1])
local name = redis.call('GET', KEYS[2])
if not epoch or not name or epoch .. name ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[3], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
return 1`;

const ARRIVE = `
local lost = 0
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  if redis.call('EXISTS', KEYS[2] .. id) == 0 then redis.call('SREM', KEYS[1], id) lost = lost + 1 end
end
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2] .. ARGV[1], '', 'PX', ARGV[2])
return lost`;

const PRESENT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`;

/** An instance that has not been heard of for this long has ended, or is cut off. */
const PRESENT_MS = 1_500;
/** For how long at least a load may take and its value still be kept. */
const NAME_MS = 10 * 60 * 1_000;

/** Where a value lies, and what makes it worthless. */
export interface Place {
  /** Values are shared by those who use the same one. */
  readonly namespace: string;
  readonly cache: string;
  readonly key: string;
  /** What `forget` names; the same for all namespaces. */
  readonly subject: string;
}

export interface Answer {
  /** To be handed to `keep`. */
  readonly names: string;
  readonly found: { readonly text: string; readonly ttlMs: number } | null;
}

export interface RedisClientOptions {
  readonly url: string;
  /** Of this process. */
  readonly instanceId: string;
  readonly newId: () => string;
  readonly onMessage: (text: string) => void;
  /** An instance of this deployment, perhaps this one, has published something for the others. */
  readonly onShared: (text: string) => void;
  /** How many instances of this deployment are there, with this one: told at each ping. */
  readonly onPresent: (instances: number) => void;
  /** A connection can be used. */
  readonly onReady: () => void;
  /** A connection has ended or could not be made. `values`: what Redis holds may be older than what we have sent. */
  readonly onLost: (lost: { values: boolean; reason: unknown }) => void;
}

/**
 * Redis in the words of the caches, over two connections: one asks, one listens. Both come back by themselves; a
 * command while its connection is away fails at once. No command here has a time limit of its own.
 */
export class RedisClient {
  readonly #options: RedisClientOptions;
  readonly #commands: Redis;
  readonly #listener: Redis;
  #deployment = '';

  constructor(options: RedisClientOptions) {
    this.#options = options;
    this.#commands = this.#connection(true);
    this.#listener = this.#connection(false);
    this.#listener.on('message', (channel: string, text: string) => {
      if (channel === CHANNEL) options.onMessage(text);
      else options.onShared(text);
    });
  }

  /** @param deployment the id of the one that this instance is of */
  open(deployment: string): void {
    this.#deployment = deployment;
    for (const redis of [this.#commands, this.#listener]) redis.connect().catch(() => {});
  }

  close(): void {
    for (const redis of [this.#commands, this.#listener]) redis.disconnect();
  }

  /** Asks both connections. What was published before it was asked has been heard when it answers. */
  async ping(): Promise<void> {
    const { instanceId, onPresent } = this.#options;
    const present = this.#commands
      .pipeline()
      .sadd(INSTANCES, instanceId)
      .set(instanceKey(instanceId), '', 'PX', PRESENT_MS)
      .eval(PRESENT, 1, this.#sharedKey('instances'), instanceId, PRESENT_MS);
    const [answers] = await Promise.all([all(present.exec()), this.#listener.ping()]);
    onPresent(Number(answers.at(-1)));
  }

  async listen(): Promise<void> {
    await this.#listener.subscribe(CHANNEL, this.#sharedKey('news'));
  }

  /** @param keys names within what this deployment's instances share */
  async run(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const shared = keys.map((key) => this.#sharedKey(key));
    return this.#commands.eval(script, shared.length, ...shared, ...args);
  }

  /** To all instances of this deployment. */
  async publish(text: string): Promise<void> {
    await this.#commands.publish(this.#sharedKey('news'), text);
  }

  /** @returns how many instances have gone without taking leave: what they had to forget, Redis may still hold */
  async arrive(): Promise<number> {
    const keys = [INSTANCES, instanceKey('')];
    return Number(await this.#commands.eval(ARRIVE, 2, ...keys, this.#options.instanceId, PRESENT_MS));
  }

  async leave(): Promise<void> {
    const { instanceId } = this.#options;
    const left = this.#commands
      .pipeline()
      .srem(INSTANCES, instanceId)
      .del(instanceKey(instanceId))
      .zrem(this.#sharedKey('instances'), instanceId);
    await all(left.exec());
  }

  async look(place: Place): Promise<Answer> {
    const keys = [EPOCH, nameKey(place.cache, place.subject), valueKey(place)];
    const answer = await this.#commands.eval(LOOK, 3, ...keys, this.#options.newId(), NAME_MS);
    const [names, text, ttlMs] = Array.isArray(answer) ? (answer as unknown[]) : [];
    const isFound = typeof text === 'string' && typeof ttlMs === 'number' && ttlMs > 0;
    return { names: String(names), found: isFound ? { text, ttlMs } : null };
  }

  /** Keeps a value unless it has been forgotten since `names` were looked up. */
  async keep(place: Place, names: string, text: string, ttlMs: number): Promise<void> {
    const keys = [EPOCH, nameKey(place.cache, place.subject), valueKey(place)];
    const nameMs = Math.max(NAME_MS, 2 * ttlMs);
    await this.#commands.eval(KEEP, 3, ...keys, names, text, Math.ceil(ttlMs), Math.ceil(nameMs));
  }

  /** Makes all that is kept of these subjects unreachable, in every namespace, and takes away what lies at the places. */
  async forget(subjects: readonly Subject[], places: readonly Place[], message: string): Promise<void> {
    const keys = [...subjects.map(({ cache, subject }) => nameKey(cache, subject)), ...places.map(valueKey)];
    await all(
      this.#commands
        .pipeline()
        .del(...keys)
        .publish(CHANNEL, message)
        .exec(),
    );
  }

  /** Forgets every value of every namespace. @param message for the other instances, if they are to forget as well */
  async forgetAll(message: string | null): Promise<void> {
    const commands = this.#commands.pipeline().del(EPOCH);
    if (message !== null) commands.publish(CHANNEL, message);
    await all(commands.exec());
  }

  #sharedKey(name: string): string {
    return `${SHARED}${this.#deployment}:${name}`;
  }

  #connection(values: boolean): Redis {
    const Redis = redisDriver();
    const redis = new Redis(this.#options.url, connectionOptions());
    let reason: unknown = new Error('closed');
    redis.on('error', (error) => {
      reason = error;
    });
    redis.on('ready', () => this.#options.onReady());
    redis.on('close', () => {
      this.#options.onLost({ values, reason });
      reason = new Error('closed');
    });
    return redis;
  }
}

function connectionOptions() {
  return {
    // Nothing here needs the third version, and the second one is understood everywhere.
    protocol: 2 as const,
    lazyConnect: true,
    disableClientInfo: true,
    connectTimeout: SILENCE_MS,
    socketTimeout: SILENCE_MS,
    disconnectTimeout: 100,
    maxLoadingRetryTime: MAX_RECONNECT_MS,
    // What is asked while the connection is away fails at once, and is not asked again by itself.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // Who listens again has missed something: that is not to be hidden.
    autoResubscribe: false,
    retryStrategy: (times: number) => Math.min(25 * 2 ** Math.min(times, 8), MAX_RECONNECT_MS),
    // After a failover the server behind the address may be another.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  };
}

function instanceKey(id: string): string {
  return `${PREFIX}instance:${id}`;
}

function nameKey(cache: string, subject: string): string {
  return `${PREFIX}name:${cache}:${subject}`;
}

function valueKey({ namespace, cache, key }: Place): string {
  return `${PREFIX}value:${namespace}:${cache}:${key}`;
}

/** @returns the answers, in order @throws the error of the first command that failed */
async function all(results: Promise<[Error | null, unknown][] | null>): Promise<unknown[]> {
  return ((await results) ?? []).map(([error, answer]) => {
    if (error !== null) throw error;
    return answer;
  });
}
