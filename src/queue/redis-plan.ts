/**
 * The plan of all instances' starts, kept in Redis. Per lane: the last starts that were planned, as many as the pace
 * has to know; a pause, while there is one; and until when all go by their own shares after an outage.
 *
 * Redis' clock is the only one that counts. A start is planned a window after the one that is `atOnce` before it, so
 * that no window holds more, wherever it begins: fixed windows let twice as many through around their edges.
 */
import type { SharedPlan } from './shared-budget.ts';
import type { Reservation, ReservationRequest } from './shared-turns.ts';

/**
 * After an outage instances come back one by one, over a second or so. Until then each keeps to its share: the first
 * ones would otherwise take the whole while the others still take theirs. Then the plan goes on as if it had never
 * been away, without a burst.
 */
const RESERVE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local count, atOnce, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return {'paused', paused} end
if ARGV[4] == '1' and redis.call('SET', KEYS[3], now + ARGV[5], 'PX', ARGV[6], 'NX') then
  redis.call('DEL', KEYS[1])
  for i = 1, atOnce do
    redis.call('RPUSH', KEYS[1], now + ARGV[5] - window + math.ceil(i * window / atOnce))
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
end
local alone = (tonumber(redis.call('GET', KEYS[3]) or '') or now) - now
if alone > 0 and alone <= tonumber(ARGV[5]) then return {'alone', alone} end
local plan = redis.call('LRANGE', KEYS[1], -atOnce, -1)
if #plan > 0 and plan[#plan] - now > tonumber(ARGV[7]) then
  plan = {}
  redis.call('DEL', KEYS[1])
end
local answer = {'turns'}
local at = now
for i = 1, count do
  at = math.max(at, plan[#plan] or 0)
  if #plan >= atOnce then at = math.max(at, plan[#plan - atOnce + 1] + window) end
  plan[#plan + 1] = at
  redis.call('RPUSH', KEYS[1], at)
  answer[i + 1] = at - now
end
redis.call('LTRIM', KEYS[1], -atOnce, -1)
redis.call('PEXPIRE', KEYS[1], at - now + window)
return answer`;

const PAUSE = `
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '', 'PX', ARGV[1]) end`;

/** From the first that comes back until the plan is followed again; instances come back within a second. */
const HANDOVER_MS = 1_000;
/** Those that come back later than this begin a handover of their own. */
const HANDOVER_EVERY_MS = 10_000;
/** A plan that reaches further was made by a clock that has been set back since. */
const HORIZON_MS = 60_000;

/** What of Redis is used here. Both settle within a moment; scripts see their keys as this deployment's own. */
export interface PlanRedis {
  run(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
  /** To all instances of this deployment. */
  publish(message: string): Promise<void>;
}

export class RedisPlan implements SharedPlan {
  readonly #redis: PlanRedis;
  readonly #instanceId: string;

  constructor(deps: { redis: PlanRedis; instanceId: string }) {
    this.#redis = deps.redis;
    this.#instanceId = deps.instanceId;
  }

  /** @throws when Redis does not answer, or nonsense */
  async reserve(lane: string, { pace, count, isBack }: ReservationRequest): Promise<Reservation> {
    const keys = [`plan:${lane}`, pauseKey(lane), `handover:${lane}`];
    const window = Math.ceil(pace.windowMs);
    const times = [HANDOVER_MS, HANDOVER_EVERY_MS, HORIZON_MS];
    const answer = await this.#redis.run(RESERVE, keys, [
      count,
      pace.atOnce,
      window,
      isBack ? 1 : 0,
      ...times,
    ]);
    return readReservation(answer);
  }

  async pause(lane: string, ms: number): Promise<void> {
    const message = JSON.stringify({ from: this.#instanceId, lane, pauseMs: Math.ceil(ms) });
    await Promise.all([
      this.#redis.run(PAUSE, [pauseKey(lane)], [Math.ceil(ms)]),
      this.#redis.publish(message),
    ]);
  }

  /** @returns null for what is no pause of another instance: anybody can write to a channel */
  readPause(text: string): { lane: string; ms: number } | null {
    let members: Record<string, unknown>;
    try {
      members = Object(JSON.parse(text)) as Record<string, unknown>; // each member is looked at
    } catch {
      return null;
    }
    const { from, lane, pauseMs } = members;
    if (typeof from !== 'string' || from === this.#instanceId || typeof lane !== 'string') return null;
    return typeof pauseMs === 'number' && pauseMs > 0 ? { lane, ms: pauseMs } : null;
  }
}

function pauseKey(lane: string): string {
  return `pause:${lane}`;
}

function readReservation(answer: unknown): Reservation {
  const [kind, ...numbers] = Array.isArray(answer) ? (answer as unknown[]) : [];
  const ms = numbers.filter((each) => typeof each === 'number');
  const [first] = ms;
  if (first === undefined || ms.length !== numbers.length) throw new Error('an answer that is none');
  if (kind === 'turns') return { kind, inMs: ms };
  if (kind === 'paused' || kind === 'alone') return { kind, ms: first };
  throw new Error('an answer that is none');
}
