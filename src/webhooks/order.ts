/** The place of one event among those about the same thing. */
export interface Place {
  /** Whether the one before it, if there is one, has passed; resolves when it has, or has left. */
  readonly mayPass: Promise<boolean>;
  /** Lets the next one pass. */
  pass(): void;
  /** Without having passed, it keeps the next one from it. */
  leave(): void;
}

const FREE = Promise.resolve(true);
/** Of what is about nothing. */
const ALONE: Place = { mayPass: FREE, pass() {}, leave() {} };

/** Lets events about one thing be settled in the order in which they were taken in hand. */
export class PassingOrder {
  /** By thing. */
  readonly #last = new Map<string, Promise<boolean>>();

  /** @param thing null: it has no order */
  join(thing: string | null): Place {
    if (thing === null) return ALONE;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const mayPass = this.#last.get(thing) ?? FREE;
    this.#last.set(thing, promise);
    const end = (hasPassed: boolean) => {
      resolve(hasPassed);
      if (this.#last.get(thing) === promise) this.#last.delete(thing);
    };
    return { mayPass, pass: () => end(true), leave: () => end(false) };
  }
}
