/**
 * To be imported before anything else: from here on the process's clock, timers and dice are the simulation's. What
 * libraries take hold of as they are loaded (p-queue, cockatiel, lru-cache) is then simulated, too.
 */
import { syncBuiltinESMExports } from 'node:module';
import perfHooks from 'node:perf_hooks';
import { seededRandom } from '../mocks/core/random.ts';
import { SimulatedTime } from './simulated-time.ts';

/** A Monday; no seed begins at another instant. */
export const BEGINNING_MS = Date.UTC(2026, 10, 23, 9, 0, 0);

const RealDate = Date;
const realImmediate = setImmediate;
/** The machine's own. */
export const real = { now: RealDate.now, performance: performance.now.bind(performance) };

interface Session {
  time: SimulatedTime;
  random: () => number;
  /** How far the service's clock is ahead of Attio's. @unit ms */
  skewMs: number;
}

/** Of the seed that is being run. */
export const session: Session = {
  time: new SimulatedTime(BEGINNING_MS, realImmediate),
  random: seededRandom(0),
  skewMs: 0,
};

/** Time begins anew, for a seed. */
export function beginSession(seed: number): void {
  session.time = new SimulatedTime(BEGINNING_MS, realImmediate);
  session.random = seededRandom(seed ^ 0x51ed);
  session.skewMs = 0;
}

const serviceNow = () => session.time.now() + session.skewMs;

class SimulatedDate extends RealDate {
  constructor(...args: unknown[]) {
    // The one overload that is not the real one's is the empty one.
    if (args.length === 0) super(serviceNow());
    else super(...(args as [number]));
  }

  static override now(): number {
    return serviceNow();
  }
}

interface Handle {
  readonly id: { current: number };
  ref(): Handle;
  unref(): Handle;
  hasRef(): boolean;
  refresh(): Handle;
  [Symbol.toPrimitive](): number;
}

function handleOf(id: { current: number }, again: () => void): Handle {
  const handle: Handle = {
    id,
    ref: () => handle,
    unref: () => handle,
    hasRef: () => true,
    refresh() {
      session.time.clearTimeout(id.current);
      again();
      return handle;
    },
    [Symbol.toPrimitive]: () => id.current,
  };
  return handle;
}

type Callback = (...args: unknown[]) => void;

function simulatedTimeout(callback: Callback, ms = 0, ...args: unknown[]): Handle {
  const id = { current: 0 };
  const set = () => {
    id.current = session.time.setOwned(() => callback(...args), ms);
  };
  set();
  return handleOf(id, set);
}

function simulatedInterval(callback: Callback, ms = 0, ...args: unknown[]): Handle {
  const id = { current: 0 };
  const set = () => {
    id.current = session.time.setOwned(
      () => {
        set();
        callback(...args);
      },
      Math.max(1, ms),
    );
  };
  set();
  return handleOf(id, set);
}

function clear(handle: Handle | number | undefined | null): void {
  if (handle === undefined || handle === null) return;
  session.time.clearTimeout(typeof handle === 'number' ? handle : handle.id.current);
}

Object.assign(globalThis, {
  Date: SimulatedDate,
  setTimeout: simulatedTimeout,
  clearTimeout: clear,
  setInterval: simulatedInterval,
  clearInterval: clear,
  setImmediate: (callback: Callback, ...args: unknown[]) => {
    session.time.setImmediateOwned(() => callback(...args));
  },
});
Math.random = () => session.random();
performance.now = () => session.time.now() - BEGINNING_MS;

/** What a life has set to watch the machine would outlive it, and keep all of it in memory. */
class NoObserver {
  observe(): void {}
  disconnect(): void {}
}
Object.assign(perfHooks, { PerformanceObserver: NoObserver, monitorEventLoopDelay: undefined });
syncBuiltinESMExports();
