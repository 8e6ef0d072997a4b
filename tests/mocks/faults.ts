import { z } from 'zod';
import type { Random } from './core/random.ts';

export const REQUEST_FAULTS = [
  'status',
  'latency',
  'disconnect',
  'hang',
  'malformed',
  'lost-answer',
] as const;
export const WEBHOOK_FAULTS = ['drop-webhooks', 'duplicate-webhooks', 'reorder-webhooks'] as const;

/**
 * What can go wrong on purpose. Carried out before the fault: `malformed` (the answer is cut short) and
 * `lost-answer`; not carried out: `status`, `disconnect`, `hang` and `malformed` with `html` (a page from a proxy).
 */
export const faultSchema = z.strictObject({
  kind: z.enum([...REQUEST_FAULTS, ...WEBHOOK_FAULTS]),
  /** The answer of a `status` fault. 502-504 (and any other with `html`) is a page as Cloudflare sends it. */
  status: z.int().min(400).max(599).optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  html: z.boolean().optional(),
  /** How far ahead `Retry-After` of a 429 or 503 lies. @default 1 */
  retryAfterSeconds: z.number().min(0).optional(),
  /** Latency, or how long a reordered delivery waits for one to overtake it. @unit ms */
  ms: z.number().min(0).max(3_600_000).optional(),
  /** For webhook faults `path` is compared with the event type. */
  match: z.strictObject({ method: z.string().optional(), path: z.string().optional() }).optional(),
  /** Gone after this many hits; left out: stands until deleted. */
  count: z.int().min(1).optional(),
  probability: z.number().min(0).max(1).optional(),
});

export type FaultInput = z.input<typeof faultSchema>;

export interface Fault extends z.output<typeof faultSchema> {
  readonly id: string;
  hits: number;
}

export const checkedFaultSchema = faultSchema.superRefine((fault, context) => {
  if (fault.kind === 'status' && fault.status === undefined) {
    context.addIssue({ code: 'custom', path: ['status'], message: 'A status fault needs a status.' });
  }
  if (fault.kind === 'latency' && fault.ms === undefined) {
    context.addIssue({ code: 'custom', path: ['ms'], message: 'A latency fault needs ms.' });
  }
});

function pathMatches(pattern: string, path: string): boolean {
  const bare = path.replace(/^\/v2(?=\/)/, '');
  const wanted = pattern.replace(/^\/v2(?=\/|$)/, '');
  if (!wanted.includes('*')) return bare.includes(wanted);
  const source = wanted
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`).test(bare);
}

/** The faults that stand, each with its own count; the same dice for the same seed. */
export class Faults {
  readonly #random: Random;
  #standing: Fault[] = [];
  #made = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  add(input: FaultInput): Fault {
    this.#made += 1;
    const fault: Fault = { ...checkedFaultSchema.parse(input), id: `fault-${this.#made}`, hits: 0 };
    this.#standing.push(fault);
    return fault;
  }

  list(): readonly Fault[] {
    return this.#standing;
  }

  remove(id: string): void {
    this.#standing = this.#standing.filter((one) => one.id !== id);
  }

  clear(): void {
    this.#standing = [];
  }

  #strikes(fault: Fault, method: string, path: string): boolean {
    const { match, probability } = fault;
    if (match?.method !== undefined && match.method.toUpperCase() !== method) return false;
    if (match?.path !== undefined && !pathMatches(match.path, path)) return false;
    return probability === undefined || this.#random() < probability;
  }

  #hit(fault: Fault): void {
    fault.hits += 1;
    if (fault.count !== undefined && fault.hits >= fault.count) {
      this.#standing = this.#standing.filter((one) => one !== fault);
    }
  }

  /** The faults that hit this request: any number of latencies and at most one of another kind, the oldest. */
  strike(method: string, path: string): { latencyMs: number; fault: Fault | null } {
    let latencyMs = 0;
    let struck: Fault | null = null;
    for (const fault of this.#standing) {
      if (!REQUEST_FAULTS.some((kind) => kind === fault.kind)) continue;
      if (fault.kind !== 'latency' && struck !== null) continue;
      if (!this.#strikes(fault, method, path)) continue;
      this.#hit(fault);
      if (fault.kind === 'latency') latencyMs += fault.ms ?? 0;
      else struck = fault;
    }
    return { latencyMs, fault: struck };
  }

  /** The oldest webhook fault that hits a delivery of this event. */
  strikeDelivery(eventType: string): Fault | null {
    for (const fault of this.#standing) {
      if (!WEBHOOK_FAULTS.some((kind) => kind === fault.kind)) continue;
      if (!this.#strikes(fault, 'POST', eventType)) continue;
      this.#hit(fault);
      return fault;
    }
    return null;
  }
}
