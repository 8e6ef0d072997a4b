import type { Exchange } from './core/exchange.ts';
import type { Random } from './core/random.ts';
import { realTimers, type Timers } from './core/timers.ts';
import { ATTIO_LIMITS, type Limits } from './limits.ts';
import type { DeliveryOptions } from './webhooks/dispatcher.ts';

export interface SandboxOptions {
  /** @default 1 */
  readonly seed?: number;
  /** Seeded rows. @default 20, 5 and 5 */
  readonly people?: number;
  readonly companies?: number;
  readonly deals?: number;
  /** Attio's limits, none, or others. @default true */
  readonly rateLimits?: boolean | Partial<Limits>;
  /** Every answer is this late. @unit ms @default 0 */
  readonly latencyMs?: number;
  /** Where all webhook deliveries go, whatever their target says. */
  readonly deliverTo?: string | null;
  readonly deliveries?: Partial<Omit<DeliveryOptions, 'deliverTo'>>;
  /**
   * A fresh Attio workspace refuses a deal without an owner. Here the attribute has the default `current-user`
   * unless this is set. @default false
   */
  readonly dealOwnerRequired?: boolean;
  /**
   * Whether the deals object has the custom attribute `external_id`, a unique text: a fresh Attio workspace has none.
   * @default true
   */
  readonly dealExternalId?: boolean;
  /** How many requests and deliveries are remembered. @default 10000 */
  readonly logSize?: number;
  readonly now?: () => number;
  /** Replaces the seeded generator. */
  readonly random?: Random;
  readonly timers?: Timers;
  /** How webhooks are sent. */
  readonly fetch?: typeof fetch;
  readonly onExchange?: (exchange: Exchange) => void;
}

export interface Settings {
  readonly seed: number;
  readonly counts: { readonly people: number; readonly companies: number; readonly deals: number };
  readonly limits: Limits | null;
  readonly latencyMs: number;
  readonly deliveries: DeliveryOptions;
  readonly dealOwnerRequired: boolean;
  readonly dealExternalId: boolean;
  readonly logSize: number;
  readonly now: () => number;
  readonly random: Random | null;
  readonly timers: Timers;
  readonly fetch: typeof fetch;
  readonly onExchange: ((exchange: Exchange) => void) | null;
}

const DELIVERIES: Omit<DeliveryOptions, 'deliverTo'> = {
  perSecond: 25,
  concurrency: 1,
  maxRetries: 10,
  retryBaseMs: 1000,
  timeoutMs: 10_000,
};

function limitsOf(rateLimits: SandboxOptions['rateLimits']): Limits | null {
  if (rateLimits === false) return null;
  return { ...ATTIO_LIMITS, ...(typeof rateLimits === 'object' ? rateLimits : {}) };
}

const DEFAULTS = {
  seed: 1,
  people: 20,
  companies: 5,
  deals: 5,
  latencyMs: 0,
  deliverTo: null,
  dealOwnerRequired: false,
  dealExternalId: true,
  logSize: 10_000,
  now: Date.now,
  random: null,
  timers: realTimers,
  onExchange: null,
};

const defaultFetch: typeof fetch = (input, init) => globalThis.fetch(input, init);

export function settle(options: SandboxOptions): Settings {
  const { people, companies, deals, rateLimits, deliverTo, deliveries, ...rest } = {
    ...DEFAULTS,
    ...options,
  };
  return {
    fetch: defaultFetch,
    ...rest,
    counts: { people, companies, deals },
    limits: limitsOf(rateLimits),
    deliveries: { ...DELIVERIES, ...deliveries, deliverTo },
  };
}
