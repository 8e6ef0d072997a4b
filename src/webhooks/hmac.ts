import { hash } from 'node:crypto';

/** Of SHA-256. @unit bytes */
const BLOCK = 64;
const DIGEST = 32;
/** Bodies up to this share one place to be put together in; Attio's have some hundred bytes. */
const ROOM = 16_384;

const together = Buffer.alloc(BLOCK + ROOM);

/**
 * HMAC-SHA256 (RFC 2104) by two hashes at once. `createHmac` makes an object of the crypto library for each body, which
 * costs more than hashing it, and again when it is collected.
 */
export class Hmac {
  readonly #inner: Buffer;
  /** The outer key, and room for the inner digest. */
  readonly #outer: Buffer;

  constructor(secret: string) {
    const bytes = Buffer.from(secret);
    const key = bytes.length > BLOCK ? hash('sha256', bytes, 'buffer') : bytes;
    this.#inner = Buffer.alloc(BLOCK, 0x36);
    this.#outer = Buffer.alloc(BLOCK + DIGEST, 0x5c);
    for (const [index, byte] of key.entries()) {
      this.#inner.writeUInt8(byte ^ 0x36, index);
      this.#outer.writeUInt8(byte ^ 0x5c, index);
    }
  }

  /** Hex, because bytes of their own would cost as much as the digest. */
  of(body: Buffer): string {
    this.#outer.write(hash('sha256', this.#withKey(body), 'hex'), BLOCK, 'hex');
    return hash('sha256', this.#outer, 'hex');
  }

  #withKey(body: Buffer): Buffer {
    if (body.length > ROOM) return Buffer.concat([this.#inner, body]);
    together.set(this.#inner);
    together.set(body, BLOCK);
    return together.subarray(0, BLOCK + body.length);
  }
}
