import { z } from 'zod';

const body = z.object({
  events: z.tuple([
    z.object({
      event_type: z.string(),
      id: z.object({ record_id: z.string().optional() }),
    }),
  ]),
});

/** One attempt of the sandbox to hand over a webhook. */
export interface Attempt {
  readonly eventType: string;
  readonly recordId: string | null;
  /** Null: nobody answered. */
  readonly status: number | null;
  readonly tookMs: number;
  /** By `performance.now()`. */
  readonly endedAt: number;
  /** As it was sent. */
  readonly message: { readonly body: string; readonly headers: Readonly<Record<string, string>> };
}

/** Attempts that are remembered. */
const KEPT = 500;

/** Looks on as the sandbox delivers its webhooks. */
export class Deliveries {
  /** Deliveries that the service has taken. */
  accepted = 0;
  #attempts: Attempt[] = [];
  #news = Promise.withResolvers<void>();

  /** What the sandbox sends with. */
  readonly fetch: typeof fetch = async (input, init) => {
    const startedAt = performance.now();
    const response = await fetch(input, init).catch((error: unknown) => {
      this.#note(init, null, startedAt);
      throw error;
    });
    this.#note(init, response.status, startedAt);
    return response;
  };

  /** The first attempt about a record since an instant of `performance.now()`. @throws when none comes in time */
  async find(eventType: string, recordId: string, since: number, withinMs: number): Promise<Attempt> {
    const limit = AbortSignal.timeout(withinMs);
    for (;;) {
      const found = this.#attempts.find(
        (attempt) =>
          attempt.eventType === eventType && attempt.recordId === recordId && attempt.endedAt >= since,
      );
      if (found !== undefined) return found;
      await Promise.race([this.#news.promise, aborted(limit, `no ${eventType} was delivered in time`)]);
    }
  }

  #note(init: RequestInit | undefined, status: number | null, startedAt: number): void {
    const text = String(init?.body);
    const { events } = body.parse(JSON.parse(text));
    const endedAt = performance.now();
    if (status === 202) this.accepted += 1;
    if (this.#attempts.length >= 2 * KEPT) this.#attempts = this.#attempts.slice(-KEPT);
    this.#attempts.push({
      eventType: events[0].event_type,
      recordId: events[0].id.record_id ?? null,
      status,
      tookMs: endedAt - startedAt,
      endedAt,
      message: { body: text, headers: Object.fromEntries(new Headers(init?.headers)) },
    });
    const news = this.#news;
    this.#news = Promise.withResolvers();
    news.resolve();
  }
}

function aborted(signal: AbortSignal, message: string): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(new Error(message)), { once: true });
  return promise;
}
