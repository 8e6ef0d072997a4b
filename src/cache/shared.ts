/** What a cache and the tier that several instances share know of each other. */

/** A cache's memory, which is told what others have found changed. */
export interface Member {
  readonly name: string;
  /** How long after its reading an entry is believed while nobody tells us anything. */
  readonly aloneMs: number;
  readonly forget: (subject: string) => void;
  readonly forgetAll: () => void;
}

export interface Look {
  readonly found: { readonly value: unknown; readonly ttlMs: number } | null;
  /** Does nothing when the subject has been forgotten since. */
  readonly keep: (value: unknown, ttlMs: number) => void;
}

/** What one cache sees of the shared tier. */
export interface Shared {
  /** Whether what was read then may be served: nothing can have changed since without our knowing. */
  believes(readAt: number): boolean;
  /** After this process was held up: waits, a little, for what others have said meanwhile. */
  catchUp(): Promise<void>;
  /** Whether a reader of now may be given what is being loaded since then. */
  mayJoin(startedAt: number): boolean;
  /** Null when Redis is not to be asked. Never rejects. */
  look(key: string, subject: string): Promise<Look | null>;
  /** Makes every other instance forget. `keys`: under which we may hold it. */
  forget(subject: string, keys: readonly string[]): void;
}
