import type { ChangeWebhookState } from '../../domain/change-webhooks.ts';
import type { DeadLetter } from '../../domain/dead-letters.ts';
import { ServiceError, unknownThing } from '../errors.ts';
import { type Endpoint, endpointOf } from './message.ts';
import { PushWorker, type PushWorkerDeps } from './worker.ts';

export interface PusherDeps extends PushWorkerDeps {
  /** Addresses, as configured. */
  readonly urls: readonly string[];
  /** Of this process. */
  readonly owner: string;
}

/** A place that changes are pushed to, for those who watch it. */
export interface ChangeWebhookView extends Omit<ChangeWebhookState, 'position'> {
  /** Null: it is yet to be started with. */
  readonly position: number | null;
  /** Its place in CHANGE_WEBHOOK_URLS, from 1; null: it is not there any more. */
  readonly number: number | null;
}

/** Of all that are configured. */
export interface PushStats {
  readonly pending: number;
  readonly oldestAt: string | null;
  readonly disabled: number;
}

/** How long an address is one instance's; it says so again several times meanwhile. */
const LEASE_MS = 15_000;
export const RENEW_EVERY_MS = 4_000;

/**
 * Tells internal systems of changes, address by address: one that is slow or dead holds up no other. Where several
 * instances share a database, one of them has each address at a time.
 */
export class ChangePusher {
  readonly #deps: PusherDeps;
  readonly #endpoints: readonly Endpoint[];
  readonly #workers: ReadonlyMap<string, PushWorker>;

  constructor(deps: PusherDeps) {
    this.#deps = deps;
    this.#endpoints = deps.urls.map(endpointOf);
    this.#workers = new Map(this.#endpoints.map((endpoint) => [endpoint.id, new PushWorker(endpoint, deps)]));
  }

  get isConfigured(): boolean {
    return this.#workers.size > 0;
  }

  /** What is new starts from now. */
  async start(): Promise<void> {
    if (!this.isConfigured) return;
    await this.#deps.webhooks.register(this.#endpoints, this.#now());
    for (const worker of this.#workers.values()) worker.start();
  }

  /** Says that this instance is still there, and takes what nobody has. */
  async renew(): Promise<void> {
    if (!this.isConfigured) return;
    const { webhooks, clock, owner } = this.#deps;
    const now = clock.now();
    const until = now + LEASE_MS;
    const held = await webhooks.lease([...this.#workers.keys()], owner, iso(now), iso(until));
    for (const [id, worker] of this.#workers) worker.lease(held.includes(id) ? until : 0);
  }

  /** Changes were committed. */
  wake(): void {
    for (const worker of this.#workers.values()) worker.wake();
  }

  /** What is under way has a little time to end; the rest is made by whoever comes next. */
  async stop(): Promise<void> {
    await Promise.all([...this.#workers.values()].map((worker) => worker.stop()));
  }

  /** After the stop, and when what was made is stored. */
  async release(): Promise<void> {
    // A database that is away lets go of it by itself, when the time is over.
    if (this.isConfigured) await this.#deps.webhooks.release(this.#deps.owner).catch(() => {});
  }

  /** Those that are configured, and those that were of late. */
  async list(): Promise<ChangeWebhookView[]> {
    const states = await this.#deps.webhooks.list();
    const fresh = this.#endpoints.filter(({ id }) => !states.some((state) => state.id === id));
    return [...states.map((state) => this.#view(state)), ...fresh.map((endpoint) => this.#blank(endpoint))];
  }

  /**
   * Pushes to it again, at once, from where it was.
   * @throws ServiceError `not_found`
   */
  async enable(id: string): Promise<ChangeWebhookView> {
    const { webhooks, events } = this.#deps;
    if (!(await webhooks.enable(id, this.#now()))) throw unknownThing('change webhook');
    events.webhookEnabled(id);
    this.#workers.get(id)?.resume();
    const state = await webhooks.get(id);
    if (state === undefined) throw unknownThing('change webhook');
    return this.#view(state);
  }

  /** Takes a dead letter back to work. @throws ServiceError `refused` */
  async revive({ id, deliveryId }: DeadLetter): Promise<void> {
    const { webhooks, deliveries } = this.#deps;
    const webhookId = deliveryId === null ? null : await deliveries.webhookOf(deliveryId);
    if (deliveryId === null || webhookId === null) {
      throw new ServiceError('refused', 'what was to be told is no longer kept');
    }
    if (!this.#workers.has(webhookId)) {
      throw new ServiceError(
        'refused',
        'its address is not in CHANGE_WEBHOOK_URLS any more: put it back, then replay',
      );
    }
    if ((await webhooks.get(webhookId))?.status === 'disabled') {
      throw new ServiceError(
        'refused',
        `its address is disabled: enable change webhook ${webhookId}, then replay`,
      );
    }
    if (!(await deliveries.revive(deliveryId, Number(id), this.#now()))) {
      throw new ServiceError('refused', 'what was to be told is no longer kept');
    }
    this.#workers.get(webhookId)?.wake();
  }

  /** Null: nothing is to be pushed to. */
  async stats(): Promise<PushStats | null> {
    if (!this.isConfigured) return null;
    return statsOf((await this.list()).filter(({ number }) => number !== null));
  }

  #view(state: ChangeWebhookState): ChangeWebhookView {
    const index = this.#endpoints.findIndex(({ id }) => id === state.id);
    return { ...state, number: index === -1 ? null : index + 1 };
  }

  #blank({ id, host }: Endpoint): ChangeWebhookView {
    return {
      id,
      host,
      number: this.#endpoints.findIndex((endpoint) => endpoint.id === id) + 1,
      status: 'active',
      position: null,
      missed: 0,
      createdAt: this.#now(),
      lastSuccessAt: null,
      lastErrorAt: null,
      lastError: null,
      failingSince: null,
      disabledAt: null,
      disabledReason: null,
      pending: 0,
      oldestAt: null,
      dead: 0,
    };
  }

  #now(): string {
    return iso(this.#deps.clock.now());
  }
}

export function statsOf(
  webhooks: readonly Pick<ChangeWebhookState, 'pending' | 'oldestAt' | 'status'>[],
): PushStats {
  const ages = webhooks.flatMap(({ oldestAt }) => (oldestAt === null ? [] : [oldestAt]));
  return {
    pending: webhooks.reduce((sum, one) => sum + one.pending, 0),
    oldestAt: ages.toSorted()[0] ?? null,
    disabled: webhooks.filter(({ status }) => status === 'disabled').length,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
