import { type Pace, Starts, shareOf, type Turns } from './turns.ts';

/**
 * A turn may be late by this much: a second's worth is spread over enough more than one for that. An answer that
 * takes longer has no turns to give, so nobody waits for it any longer.
 */
export const USABLE_MS = 50;

/** How long to do without the plan after it has failed to answer. */
const REST_MS = 250;
/** Who has gone by its own share for this long may not be the only one. */
const LONG_ALONE_MS = 1_000;

/** What the plan answers. */
export type Reservation =
  /** Milliseconds from now until each turn. */
  | { readonly kind: 'turns'; readonly inMs: readonly number[] }
  /** The lane was told to wait, by whoever met the limit. */
  | { readonly kind: 'paused'; readonly ms: number }
  /** Others go by their own shares yet: so should we, for so long. */
  | { readonly kind: 'alone'; readonly ms: number };

export interface ReservationRequest {
  readonly pace: Pace;
  readonly count: number;
  /** We come back from a long time alone, and others may, too. */
  readonly isBack: boolean;
}

export interface SharedTurnsDeps {
  readonly pace: Pace;
  readonly now: () => number;
  /** Settles within a moment, whatever happens. */
  readonly reserve: (request: ReservationRequest) => Promise<Reservation>;
  /** How many share the pace, as far as is known. */
  readonly instances: () => number;
  readonly onPaused: (ms: number) => void;
  readonly onMode: (mode: Mode) => void;
}

export type Mode = 'shared' | 'alone';

/**
 * The turns of a lane whose pace several instances share: a plan of theirs says when each may start.
 *
 * - shared: turns come from the plan, a few at a time, asked for when there is work for them. Work waits for the answer.
 * - alone: there is no plan within reach. Turns come from our own share of the pace: what the number of instances
 *   leaves us. Meanwhile the plan is asked again now and then, when there is work, and nobody waits for that.
 *
 * alone → shared when the plan has turns for us; shared → alone when it has failed to answer in time, or is lost.
 * What we have started in either state counts in both, so that a change allows no burst.
 */
export class SharedTurns implements Turns {
  readonly #deps: SharedTurnsDeps;
  readonly #block: number;
  readonly #starts: Starts;
  #onNews: () => void = () => {};
  #mode: Mode = 'alone';
  #turns: { readonly from: number; readonly until: number }[] = [];
  #isAsking = false;
  /** Until it is found for the first time, there is nobody to ask. */
  #askFrom = Number.POSITIVE_INFINITY;
  /** The first and the last start of the latest spell of going by our own share. */
  #spell = { from: Number.NEGATIVE_INFINITY, to: Number.NEGATIVE_INFINITY };

  constructor(deps: SharedTurnsDeps) {
    this.#deps = deps;
    const { atOnce, windowMs } = deps.pace;
    // A tenth of a second's worth: few enough that those of one instance hardly delay the others.
    this.#block = Math.ceil((atOnce / windowMs) * 100);
    this.#starts = new Starts(atOnce);
  }

  listen(onNews: () => void): void {
    this.#onNews = onNews;
  }

  take(now: number, wanted: number): number | null {
    this.#turns = this.#turns.filter(({ until }) => until >= now);
    const [next] = this.#turns;
    if (next === undefined) {
      this.#ask(now, wanted);
      // It may have been found out of reach at once.
      return this.#mode === 'shared' ? null : this.#takeOwn(now);
    }
    if (this.#turns.length <= this.#block / 2) this.#ask(now, wanted - this.#turns.length);
    const waitMs = Math.max(next.from, this.#starts.freeAt(this.#deps.pace) - USABLE_MS) - now;
    if (waitMs > 0) return waitMs;
    this.#turns.shift();
    this.#starts.note(now);
    return 0;
  }

  /** There is a plan within reach. */
  found(): void {
    this.#askFrom = Number.NEGATIVE_INFINITY;
    this.#change('shared');
  }

  /** There is none, until one is found. */
  lost(): void {
    this.#goAlone(Number.POSITIVE_INFINITY);
  }

  #takeOwn(now: number): number {
    const waitMs = this.#starts.freeAt(shareOf(this.#deps.pace, this.#deps.instances())) - now;
    if (waitMs > 0) return waitMs;
    this.#starts.note(now);
    const isSameSpell = now - this.#spell.to < LONG_ALONE_MS;
    this.#spell = { from: isSameSpell ? this.#spell.from : now, to: now };
    return 0;
  }

  #isBack(now: number): boolean {
    const { from, to } = this.#spell;
    return now - to < LONG_ALONE_MS && to - from >= LONG_ALONE_MS;
  }

  #ask(now: number, wanted: number): void {
    if (this.#isAsking || wanted < 1 || now < this.#askFrom) return;
    this.#isAsking = true;
    void this.#reserve(now, Math.min(wanted, this.#block));
  }

  async #reserve(askedAt: number, count: number): Promise<void> {
    const { pace, reserve, now } = this.#deps;
    try {
      const reservation = await reserve({ pace, count, isBack: this.#isBack(askedAt) });
      this.#isAsking = false;
      // It was lost meanwhile.
      if (this.#askFrom === Number.POSITIVE_INFINITY) return;
      this.#accept(reservation, askedAt);
    } catch {
      this.#isAsking = false;
      if (this.#askFrom !== Number.POSITIVE_INFINITY) this.#goAlone(now() + REST_MS);
    }
  }

  #accept(reservation: Reservation, askedAt: number): void {
    const now = this.#deps.now();
    if (reservation.kind === 'alone') {
      this.#goAlone(now + reservation.ms);
    } else if (reservation.kind === 'paused') {
      this.#deps.onPaused(reservation.ms);
      this.#change('shared');
    } else if (now - askedAt > USABLE_MS) {
      this.#goAlone(now + REST_MS);
    } else {
      // The plan's moment lies between our asking and its answer: not before the latest, not long after the earliest.
      for (const ms of reservation.inMs)
        this.#turns.push({ from: now + ms, until: askedAt + ms + USABLE_MS });
      this.#change('shared');
    }
  }

  #goAlone(askFrom: number): void {
    this.#askFrom = askFrom;
    this.#change('alone');
  }

  #change(mode: Mode): void {
    if (mode !== this.#mode) {
      this.#mode = mode;
      this.#deps.onMode(mode);
    }
    this.#onNews();
  }
}
