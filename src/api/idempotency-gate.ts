import type { Clock } from '../domain/clock.ts';
import { IDEMPOTENCY_KEPT_MS, type KnownRequest, type StoredReply } from '../domain/idempotency.ts';
import { ProblemError } from './problem.ts';

/** A request that must not be done twice. */
export interface KeyedRequest {
  /** Who asks for what, with which key. */
  readonly scope: string;
  /** Equal for equal requests. */
  readonly fingerprint: string;
}

/** Remembers keyed requests and the replies to them. */
export interface IdempotencyStore {
  /**
   * Notes a request as running, unless one of this scope is known.
   * @param request.keptSince one that began before this instant counts as unknown
   * @returns null when it was noted
   */
  begin(
    request: KeyedRequest & { readonly at: string; readonly keptSince: string },
  ): Promise<KnownRequest | null>;
  /** Keeps the reply to a running request. */
  finish(scope: string, reply: StoredReply): Promise<void>;
  /** Forgets a running request: the next one is new. */
  release(scope: string): Promise<void>;
}

/** How long a request may wait for its twin. */
const MAX_WAIT_MS = 30_000;
const RETRY_AFTER_SECONDS = '5';
/** A longer reply is not kept: its request runs again when it comes again. */
const MAX_KEPT_BYTES = 1024 * 1024;
/** Replies that wait for the database. */
const MAX_UNWRITTEN = 1000;

interface Flight {
  readonly fingerprint: string;
  /** The reply, or null when the next one is to try. */
  readonly landed: Promise<StoredReply | null>;
  readonly land: (reply: StoredReply | null) => void;
}

/**
 * Lets one request per scope through at a time, and gives its reply to all that are the same.
 *
 * The row of the store says that a request runs before it does; who waits for it waits here, in memory: there is one
 * process per database in this version. What runs according to the store, but not here, is another process's.
 */
export class IdempotencyGate {
  readonly #store: IdempotencyStore;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #flights = new Map<string, Flight>();
  /** What could not be written, or may have been: its row would stand as running, so it is mended before the next. */
  readonly #unwritten = new Map<string, StoredReply | null>();

  /** @param deps.onError told what could not be stored; the request is answered all the same */
  constructor(deps: { store: IdempotencyStore; clock: Clock; onError: (error: unknown) => void }) {
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#onError = deps.onError;
  }

  /**
   * @param signal ends the waiting for a twin
   * @returns the reply of an earlier one; null lets the request through: it must `leave`, however it ends
   * @throws ProblemError 422 when the earlier one was another, 409 when it does not end
   * @throws StorageUnavailableError
   */
  async enter(request: KeyedRequest, signal: AbortSignal): Promise<StoredReply | null> {
    const { scope, fingerprint } = request;
    const giveUpAt = this.#clock.now() + MAX_WAIT_MS;
    for (let twin = this.#flights.get(scope); twin !== undefined; twin = this.#flights.get(scope)) {
      if (twin.fingerprint !== fingerprint) throw reused();
      const reply = await this.#landing(twin, giveUpAt, signal);
      if (reply !== null) return reply;
    }
    const { promise: landed, resolve: land } = Promise.withResolvers<StoredReply | null>();
    this.#flights.set(scope, { fingerprint, landed, land });
    try {
      const reply = await this.#begin(request);
      if (reply !== null) this.#land(scope, reply);
      return reply;
    } catch (error) {
      this.#land(scope, null);
      throw error;
    }
  }

  /**
   * The request that was let through has ended. Resolves when its reply is kept.
   * @param reply null: not to be kept, the next one is to try
   */
  async leave(scope: string, reply: StoredReply | null): Promise<void> {
    const kept = reply !== null && Buffer.byteLength(reply.body) <= MAX_KEPT_BYTES ? reply : null;
    try {
      await this.#write(scope, kept);
    } catch (error) {
      this.#remember(scope, kept);
      this.#onError(error);
    }
    this.#land(scope, reply);
  }

  /** The oldest go when a database is away for long: their keys then stand as running until the next start. */
  #remember(scope: string, reply: StoredReply | null): void {
    const [oldest] = this.#unwritten.keys();
    if (this.#unwritten.size >= MAX_UNWRITTEN && oldest !== undefined) this.#unwritten.delete(oldest);
    this.#unwritten.set(scope, reply);
  }

  async #landing(twin: Flight, giveUpAt: number, signal: AbortSignal): Promise<StoredReply | null> {
    const landed = new AbortController();
    const patience = this.#clock
      .sleep(giveUpAt - this.#clock.now(), AbortSignal.any([signal, landed.signal]))
      .then(
        () => 'over' as const,
        () => 'over' as const,
      );
    const first = await Promise.race([twin.landed, patience]);
    landed.abort();
    if (first === 'over') throw stillRunning();
    return first;
  }

  async #begin({ scope, fingerprint }: KeyedRequest): Promise<StoredReply | null> {
    const unwritten = this.#unwritten.get(scope);
    if (unwritten !== undefined) {
      await this.#write(scope, unwritten);
      this.#unwritten.delete(scope);
    }
    const now = this.#clock.now();
    const at = new Date(now).toISOString();
    const keptSince = new Date(now - IDEMPOTENCY_KEPT_MS).toISOString();
    const begun = this.#store.begin({ scope, fingerprint, at, keptSince });
    const known = await begun.catch((error: unknown) => {
      // It may have been noted, and only the answer lost: nobody would ever end it.
      this.#remember(scope, null);
      throw error;
    });
    if (known === null) return null;
    if (known.fingerprint !== fingerprint) throw reused();
    if (known.reply === null) throw stillRunning();
    return known.reply;
  }

  #write(scope: string, reply: StoredReply | null): Promise<void> {
    return reply === null ? this.#store.release(scope) : this.#store.finish(scope, reply);
  }

  #land(scope: string, reply: StoredReply | null): void {
    this.#flights.get(scope)?.land(reply);
    this.#flights.delete(scope);
  }
}

function reused(): ProblemError {
  return new ProblemError({
    status: 422,
    kind: 'idempotency-key-reused',
    detail:
      'This idempotency-key was sent before with another body or query string. Send each request with a key of its own.',
  });
}

function stillRunning(): ProblemError {
  return new ProblemError({
    status: 409,
    kind: 'idempotency-key-in-use',
    detail:
      'A request with this idempotency-key is still being worked on. Send it again later for its answer.',
    headers: { 'retry-after': RETRY_AFTER_SECONDS },
  });
}
