import { createHmac, timingSafeEqual } from 'node:crypto';

/** The two headers that Attio sends the same signature in. */
export interface SignatureHeaders {
  /** `Attio-Signature` */
  readonly attio: string | undefined;
  /** `X-Attio-Signature` */
  readonly xAttio: string | undefined;
}

/** Told of every signature that was checked. */
export interface SignatureObserver {
  accepted(): void;
  refused(): void;
}

/** Lower-case hex of 32 bytes. A header sent twice arrives joined by a comma, and fails here. */
const HEX_SHA256 = /^[0-9a-f]{64}$/;

/**
 * Attio signs the raw UTF-8 body with HMAC-SHA256 under the webhook's secret (Attio webhook guide). No time is
 * signed, so there is no replay window: redeliveries are told apart by their idempotency key, in the inbox.
 */
export class SignatureVerifier {
  readonly #secrets: readonly string[];
  readonly #observer: SignatureObserver | null;

  /** @param secrets several while a secret is being rotated: any of them will do */
  constructor(secrets: readonly string[], observer: SignatureObserver | null = null) {
    this.#secrets = secrets;
    this.#observer = observer;
  }

  get configured(): boolean {
    return this.#secrets.length > 0;
  }

  /** Never throws. Takes the same time whichever secret matches, or none. */
  verify(rawBody: Buffer, headers: SignatureHeaders): boolean {
    const { attio, xAttio } = headers;
    if (attio !== undefined && xAttio !== undefined && attio !== xAttio) return false;
    const signature = attio ?? xAttio;
    if (signature === undefined || !HEX_SHA256.test(signature)) return false;
    const given = Buffer.from(signature, 'hex');
    const matches = this.#secrets.map((secret) =>
      timingSafeEqual(given, createHmac('sha256', secret).update(rawBody).digest()),
    );
    const accepted = matches.includes(true);
    this.#observer?.[accepted ? 'accepted' : 'refused']();
    return accepted;
  }
}
