import type { Change, ServiceApi } from './service-api.ts';

const WAIT_SECONDS = 5;

/** Follows `/v1/changes` as an internal system does, and hands out each change once. */
export class Feed {
  readonly #api: ServiceApi;
  #cursor: string;
  #unclaimed: Change[] = [];

  private constructor(api: ServiceApi, cursor: string) {
    this.#api = api;
    this.#cursor = cursor;
  }

  /** From now on. */
  static async fromNow(api: ServiceApi): Promise<Feed> {
    return new Feed(api, (await api.changes('latest', 0)).next);
  }

  /** The first change that fits, new or not yet handed out. @throws when none comes in time */
  async find(fits: (change: Change) => boolean, what: string, withinMs: number): Promise<Change> {
    const deadline = performance.now() + withinMs;
    do {
      const index = this.#unclaimed.findIndex(fits);
      const [found] = index === -1 ? [] : this.#unclaimed.splice(index, 1);
      if (found !== undefined) return found;
      await this.#read(WAIT_SECONDS);
    } while (performance.now() < deadline);
    throw new Error(`${what} did not appear in /v1/changes in time`);
  }

  /** Forgets what came so far, and says how much was not handed out. */
  async skip(): Promise<number> {
    return (await this.rest()).length;
  }

  /** What came so far and was not handed out. */
  async rest(): Promise<Change[]> {
    await this.#read(0);
    return this.#unclaimed.splice(0);
  }

  async #read(waitSeconds: number): Promise<void> {
    const { rows, next } = await this.#api.changes(this.#cursor, waitSeconds);
    this.#unclaimed.push(...rows);
    this.#cursor = next;
  }
}
