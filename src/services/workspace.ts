import { isAttioError } from '../attio/errors.ts';
import type { Self } from '../attio/types.ts';
import type { Clock } from '../domain/clock.ts';
import { ServiceError } from './errors.ts';
import type { SyncEvents, WorkspaceStore } from './ports.ts';

export type TokenState = 'unknown' | 'ok' | 'refused' | 'unreachable' | 'wrong_workspace';

const FIRST_WAIT_MS = 1_000;
const LAST_WAIT_MS = 10_000;

/**
 * One deployment serves one workspace. Its id is stored when Attio first tells it; should the token later belong
 * to another one, all syncing stops until a person has mended that.
 */
export class WorkspaceGuard {
  readonly #readSelf: (signal: AbortSignal) => Promise<Self>;
  readonly #store: WorkspaceStore;
  readonly #clock: Clock;
  readonly #events: SyncEvents;
  readonly #onConfirmed: () => void;
  #workspaceId: string | null = null;
  #other: string | null = null;
  #confirmed = false;
  #waiting: PromiseWithResolvers<void>[] = [];
  #token: TokenState = 'unknown';

  /** @param deps.onConfirmed called when syncing may go on */
  constructor(deps: {
    readSelf: (signal: AbortSignal) => Promise<Self>;
    store: WorkspaceStore;
    clock: Clock;
    events: SyncEvents;
    onConfirmed: () => void;
  }) {
    this.#readSelf = deps.readSelf;
    this.#store = deps.store;
    this.#clock = deps.clock;
    this.#events = deps.events;
    this.#onConfirmed = deps.onConfirmed;
  }

  /** The workspace that is mirrored here; null until Attio has first answered. */
  get workspaceId(): string | null {
    return this.#workspaceId;
  }

  /**
   * Whether Attio has told this process that the token is of the workspace mirrored here. Until then nothing is
   * read into the mirror: a restart may have brought another workspace's token.
   */
  get maySync(): boolean {
    return this.#confirmed;
  }

  get token(): TokenState {
    return this.#token;
  }

  /** In words, what is wrong with the workspace; null when nothing is. */
  get problem(): string | null {
    if (this.#other === null) return null;
    return `the token belongs to workspace ${this.#other}, but this database mirrors ${this.#workspaceId}; syncing is stopped`;
  }

  /** @throws ServiceError `unavailable` while the token belongs to another workspace */
  assertMaySync(): void {
    if (this.problem !== null) throw new ServiceError('unavailable', this.problem, { retryAfterSeconds: 60 });
  }

  /** Resolves once syncing may go on. @throws ServiceError as `assertMaySync`; the signal's reason */
  async whenMaySync(signal: AbortSignal): Promise<void> {
    while (!this.#confirmed) {
      this.assertMaySync();
      signal.throwIfAborted();
      const news = Promise.withResolvers<void>();
      this.#waiting.push(news);
      const onAbort = () => news.resolve();
      signal.addEventListener('abort', onAbort, { once: true });
      await news.promise;
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Reads what earlier starts have learnt. */
  async load(): Promise<void> {
    this.#workspaceId = await this.#store.get();
  }

  /** Asks Attio who we are, until it answers. Never rejects. */
  async learn(signal: AbortSignal): Promise<void> {
    for (let waitMs = FIRST_WAIT_MS; !signal.aborted; waitMs = Math.min(waitMs * 2, LAST_WAIT_MS)) {
      await this.check(signal);
      if (this.#token === 'ok' || this.#token === 'wrong_workspace') return;
      await this.#clock.sleep(waitMs, signal).catch(() => {});
    }
  }

  /** Asks Attio once. Never rejects; the answer is in `token`. */
  async check(signal: AbortSignal): Promise<TokenState> {
    try {
      await this.#note(await this.#readSelf(signal));
    } catch (error) {
      if (!signal.aborted) this.#noteFailure(error);
    }
    return this.#token;
  }

  async #note(self: Self): Promise<void> {
    const at = new Date(this.#clock.now()).toISOString();
    const known = this.#workspaceId ?? (await this.#store.learn(self.workspace_id, at));
    this.#workspaceId = known;
    const other = self.workspace_id === known ? null : self.workspace_id;
    if (other !== null && other !== this.#other) this.#events.workspaceMismatch(known, other);
    this.#other = other;
    const wasConfirmed = this.#confirmed;
    this.#confirmed = other === null;
    this.#token = other === null ? 'ok' : 'wrong_workspace';
    for (const news of this.#waiting.splice(0)) news.resolve();
    if (this.#confirmed && !wasConfirmed) this.#onConfirmed();
  }

  #noteFailure(error: unknown): void {
    if (!isAttioError(error, 'token_inactive', 'unauthorized', 'forbidden')) {
      this.#token = 'unreachable';
      return;
    }
    if (this.#token !== 'refused') this.#events.tokenRefused(error.message);
    this.#token = 'refused';
  }
}
