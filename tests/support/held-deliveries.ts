/** Attio's webhooks, which come when a test lets them. Its `fetch` goes into the options of the sandbox. */
export class HeldDeliveries {
  #gate: PromiseWithResolvers<void> | null = null;

  readonly fetch: typeof fetch = async (input, init) => {
    await this.#gate?.promise;
    return fetch(input, init);
  };

  /** The next ones wait. */
  hold(): void {
    this.#gate ??= Promise.withResolvers();
  }

  /** Those that wait come now, one after the other. */
  release(): void {
    this.#gate?.resolve();
    this.#gate = null;
  }
}

/** For the options of the sandbox: a delivery that waits is not given up. */
export const PATIENT_DELIVERIES = { timeoutMs: 120_000 } as const;
