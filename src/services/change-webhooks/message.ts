import { createHash } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { Change } from '../../domain/changes.ts';
import type { ShowChange } from './ports.ts';

/** After the Standard Webhooks specification. */
export interface Message {
  /** The same in each attempt, and at every address. */
  readonly id: string;
  readonly body: string;
}

export interface Endpoint {
  /** Of the address, which may hold a password and is shown nowhere. */
  readonly id: string;
  readonly url: URL;
  readonly host: string;
}

export function endpointOf(address: string): Endpoint {
  const url = new URL(address);
  const id = createHash('sha256').update(url.href).digest('hex').slice(0, 16);
  return { id, url, host: url.host };
}

export function messageOf(change: Change, show: ShowChange): Message {
  const { seq, type, id, at } = change;
  const body = JSON.stringify({ type, timestamp: at, data: show(change) });
  // Not the place alone: after a backup was restored, it is given to another change.
  const digest = createHash('sha256')
    .update(JSON.stringify([seq, type, id, at]))
    .digest('hex');
  return { id: `chg_${seq}_${digest.slice(0, 16)}`, body };
}

/** Signs with each of several secrets: whoever verifies needs one of them. */
export class Signer {
  readonly #webhooks: readonly Webhook[];

  /** @param secrets `whsec_…` @throws when one is none */
  constructor(secrets: readonly string[]) {
    this.#webhooks = secrets.map((secret) => new Webhook(secret));
  }

  /** @param atMs when this attempt is made */
  headers({ id, body }: Message, atMs: number): Record<string, string> {
    const at = new Date(atMs);
    return {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(atMs / 1000)),
      'webhook-signature': this.#webhooks.map((webhook) => webhook.sign(id, at, body)).join(' '),
    };
  }
}
