/** One event among those about the same thing. */
export interface Place {
  /** Resolves when the one before it has passed, or has ended. */
  readonly turn: Promise<void>;
  /** Not when the one before it has ended without being out of the way, also after it had passed. */
  mayPass(): boolean;
  /** Lets the next one have its turn. */
  pass(): void;
  /** @param isOutOfTheWay false: it stays pending, and so do those behind it */
  end(isOutOfTheWay: boolean): void;
}

/** Of what is about nothing. */
const ALONE: Place = { turn: Promise.resolve(), mayPass: () => true, pass() {}, end() {} };

class Member implements Place {
  #before: Member | undefined;
  readonly #passed = Promise.withResolvers<void>();
  readonly #onEnd: (member: Member) => void;
  #isInTheWay = false;

  constructor(before: Member | undefined, onEnd: (member: Member) => void) {
    this.#before = before;
    this.#onEnd = onEnd;
  }

  get turn(): Promise<void> {
    return this.#before === undefined ? ALONE.turn : this.#before.#passed.promise;
  }

  mayPass(): boolean {
    return this.#before === undefined || !this.#before.#isInTheWay;
  }

  pass(): void {
    this.#passed.resolve();
  }

  end(isOutOfTheWay: boolean): void {
    this.#isInTheWay = !isOutOfTheWay;
    this.#passed.resolve();
    // Of a thing with many events all would be kept, each by the next one.
    this.#before = undefined;
    this.#onEnd(this);
  }
}

/** Lets events about one thing be settled in the order in which they were taken in hand. */
export class PassingOrder {
  /** By thing, as long as it has not ended. */
  readonly #last = new Map<string, Member>();

  /** @param thing null: it has no order */
  join(thing: string | null): Place {
    if (thing === null) return ALONE;
    const member = new Member(this.#last.get(thing), () => {
      if (this.#last.get(thing) === member) this.#last.delete(thing);
    });
    this.#last.set(thing, member);
    return member;
  }
}
