import { z } from 'zod';

const baseUrl = z
  .string()
  .default('https://api.attio.com/v2')
  .refine(isPlainAddress, 'must be an http or https address without credentials, query or fragment')
  .transform((text) => text.replace(/\/+$/, ''));

/** Attio's piece of the environment. Units and defaults are in the names and schemas; it never holds a value back in an error. */
export const attioEnvironment = z.object({
  ATTIO_API_KEY: z
    .string('is required')
    .min(1, 'is required')
    .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces or line breaks'),
  ATTIO_BASE_URL: baseUrl,
});
export type AttioEnvironment = z.infer<typeof attioEnvironment>;

const count = z.int().min(1);
const milliseconds = z.int().min(1);

/**
 * Attio's piece of `config/attio.{environment}.json`. Attio's own ceilings are 100 reads and 25 writes per second
 * (Attio rate-limit guide); ours stay below, because the limit counts arrivals and others may share it.
 */
export const attioSettings = z.strictObject({
  readsPerSecond: count.max(100),
  writesPerSecond: count.max(25),
  /** How many instances of the service share the two, while no Redis knows. */
  instances: count.default(1),
  /** Requests at once. */
  readConcurrency: count,
  writeConcurrency: count,
  /** For one attempt, from when it is sent. */
  attemptTimeoutMs: milliseconds.default(10_000),
  /** The first one included. */
  maxAttempts: count.default(4),
  /** A longer wait is not shortened: the request is given up. */
  maxRetryWaitMs: milliseconds.default(30_000),
  /** From the start of the first attempt to the start of the last. */
  maxTotalMs: milliseconds.default(60_000),
  breaker: z
    .strictObject({
      /** In a row. */
      failures: count.default(3),
      halfOpenAfterMs: milliseconds.default(5000),
      maxHalfOpenAfterMs: milliseconds.default(15_000),
    })
    .prefault({}),
  /** Requests that may wait for their turn, per lane. */
  maxWaiting: count.default(2000),
});
export type AttioSettings = z.infer<typeof attioSettings>;

function isPlainAddress(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && !/[?#]/.test(text);
}
