import { createHash } from 'node:crypto';
import type { Subscription, WebhooksResource } from '../attio/resources/webhooks.ts';
import type { Webhook } from '../attio/types.ts';
import type { Clock } from '../domain/clock.ts';
import { SUBSCRIBED_EVENTS } from '../domain/webhook-events.ts';
import { askAttio } from './attio-errors.ts';
import { ServiceError } from './errors.ts';

/** What is kept of secrets: enough to recognize one, not enough to sign with. */
export interface SecretNotes {
  /** SHA-256 (hex) by webhook. */
  secretHashes(): Promise<ReadonlyMap<string, string>>;
  noteSecretHash(webhookId: string, hash: string, at: string): Promise<void>;
  forgetSecret(webhookId: string): Promise<void>;
}

/** A webhook that Attio has just made. Its secret is told this once. */
export interface NewRegistration {
  readonly webhook: Webhook;
  readonly secret: string;
  /** Whether the hash of the secret could be kept, for doctor to compare. */
  readonly noted: boolean;
}

export type Registered =
  | ({ readonly outcome: 'created' } & NewRegistration)
  | { readonly outcome: 'there-already'; readonly webhook: Webhook; readonly added: readonly string[] };

/** How completely a set of webhooks covers the events that we handle. */
export interface Coverage {
  readonly missing: readonly string[];
  /** Subscribed to, but only where a filter lets them through. */
  readonly filtered: readonly string[];
}

/** The subscription of this service at Attio. */
export class WebhookRegistration {
  readonly #webhooks: Pick<WebhooksResource, 'all' | 'create' | 'update' | 'delete'>;
  readonly #notes: SecretNotes | null;
  readonly #clock: Clock;
  readonly #newId: () => string;

  /** @param deps.notes null: there is no database that they could be kept in */
  constructor(deps: {
    webhooks: Pick<WebhooksResource, 'all' | 'create' | 'update' | 'delete'>;
    notes: SecretNotes | null;
    clock: Clock;
    newId: () => string;
  }) {
    this.#webhooks = deps.webhooks;
    this.#notes = deps.notes;
    this.#clock = deps.clock;
    this.#newId = deps.newId;
  }

  /** All of the workspace, without secrets. @throws ServiceError */
  async list(): Promise<Webhook[]> {
    return askAttio(() => this.#webhooks.all());
  }

  /** Those that deliver to an address, the newest first. @throws ServiceError */
  async at(target: string): Promise<Webhook[]> {
    const there = (await this.list()).filter((webhook) => isSameTarget(webhook.target_url, target));
    return there.toSorted((a, b) => b.created_at.localeCompare(a.created_at));
  }

  /** Makes the webhook, or adds to the one that is there what it lacks. @throws ServiceError */
  async register(target: string): Promise<Registered> {
    const there = await this.at(target);
    const [newest] = there;
    if (newest === undefined) return { outcome: 'created', ...(await this.#create(target)) };
    return { outcome: 'there-already', ...(await this.complete(there, newest)) };
  }

  /** Subscribes the newest of these webhooks to what all of them lack. @throws ServiceError */
  async complete(
    there: readonly Webhook[],
    newest: Webhook,
  ): Promise<{ webhook: Webhook; added: readonly string[] }> {
    const { missing } = coverageOf(there);
    if (missing.length === 0) return { webhook: newest, added: [] };
    // What is there came from Attio, and goes back to it as it came.
    const kept = newest.subscriptions as Webhook['subscriptions'] & readonly Subscription[];
    const subscriptions = [...kept, ...subscriptionsTo(missing)];
    const { data } = await askAttio(
      () => this.#webhooks.update(newest.id.webhook_id, { subscriptions }),
      FOR_SENDER,
    );
    return { webhook: data, added: missing };
  }

  /**
   * Makes a second webhook, with a new secret, beside those that are there: Attio takes it because its address
   * differs in the query string.
   * @throws ServiceError `not_found` when there is none yet
   */
  async rotate(target: string): Promise<NewRegistration & { readonly previous: readonly Webhook[] }> {
    const previous = await this.at(target);
    if (previous.length === 0) {
      throw new ServiceError('not_found', `no webhook delivers to ${target} yet; register one first`);
    }
    const url = new URL(target);
    url.searchParams.set('rotation', this.#newId().slice(0, 8));
    return { ...(await this.#create(url.href)), previous };
  }

  /** @throws ServiceError `not_found` */
  async delete(webhookId: string): Promise<void> {
    const { alreadyGone } = await askAttio(() => this.#webhooks.delete(webhookId), FOR_SENDER);
    await this.#notes?.forgetSecret(webhookId);
    if (alreadyGone) throw new ServiceError('not_found', 'Attio has no webhook with this id');
  }

  async #create(target: string): Promise<NewRegistration> {
    const wanted = { target_url: target, subscriptions: subscriptionsTo(SUBSCRIBED_EVENTS) };
    const { data: webhook } = await askAttio(() => this.#webhooks.create(wanted), FOR_SENDER);
    const { secret } = webhook;
    if (secret === undefined) {
      throw new ServiceError(
        'refused',
        `Attio has made webhook ${webhook.id.webhook_id}, but told no secret`,
      );
    }
    return { webhook, secret, noted: await this.#note(webhook.id.webhook_id, secret) };
  }

  /** A secret that is told once must not be lost because a note of it could not be made. */
  async #note(webhookId: string, secret: string): Promise<boolean> {
    if (this.#notes === null) return false;
    const at = new Date(this.#clock.now()).toISOString();
    for (let left = NOTE_TRIES; left > 0; left -= 1) {
      try {
        await this.#notes.noteSecretHash(webhookId, hashOfSecret(secret), at);
        return true;
      } catch {
        // The service may be writing just now, to a file with one writer.
        await this.#clock.sleep(NOTE_PAUSE_MS);
      }
    }
    return false;
  }
}

const NOTE_TRIES = 5;
const NOTE_PAUSE_MS = 200;

/** Attio's own words are for the operator. */
const FOR_SENDER = { forSender: true };

function subscriptionsTo(events: readonly string[]): Subscription[] {
  return events.map((event_type) => ({ event_type, filter: null }));
}

/** The query string does not count: it tells webhooks apart while a secret is rotated. */
export function isSameTarget(url: string, target: string): boolean {
  const [a, b] = [URL.parse(url), URL.parse(target)];
  return a !== null && b !== null && a.origin === b.origin && a.pathname === b.pathname;
}

/** @param webhooks that deliver to us; one that Attio has switched off counts for nothing */
export function coverageOf(webhooks: readonly Pick<Webhook, 'status' | 'subscriptions'>[]): Coverage {
  const live = webhooks.filter(({ status }) => status !== 'inactive').flatMap((one) => one.subscriptions);
  const whole = new Set(live.filter(({ filter }) => filter == null).map((one) => one.event_type));
  const some = new Set(live.map((one) => one.event_type));
  return {
    missing: SUBSCRIBED_EVENTS.filter((type) => !some.has(type)),
    filtered: SUBSCRIBED_EVENTS.filter((type) => some.has(type) && !whole.has(type)),
  };
}

/** SHA-256, hex. Secrets of Attio are long and random: they cannot be found from it. */
export function hashOfSecret(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
