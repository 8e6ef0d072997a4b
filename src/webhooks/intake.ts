import { hash } from 'node:crypto';
import type { Clock } from '../domain/clock.ts';
import type { DeadLetter, NewDeadLetter } from '../domain/dead-letters.ts';
import { isJsonObject, type Json } from '../domain/json.ts';
import { readWebhookEvent, subjectOf, type WebhookEvent } from '../domain/webhook-events.ts';
import { ServiceError } from '../services/errors.ts';
import type { Delivery, DeliveryLog, DeliveryResult, InboxEvents, KnownWorkspace } from './ports.ts';

/** Letters for one delivery; beyond that one letter holds it whole. Attio documents one event per delivery. */
const MAX_LETTERS = 100;

interface ReadBody {
  readonly webhookId: string;
  readonly events: readonly WebhookEvent[];
  readonly quarantined: readonly NewDeadLetter[];
}

/**
 * Takes what Attio has signed. Nothing of it is refused, because a refusal would be retried for three days and
 * then switch the webhook off: what cannot be read is kept as a dead letter.
 */
export class WebhookIntake {
  readonly #log: DeliveryLog;
  readonly #clock: Clock;
  readonly #workspace: KnownWorkspace;
  readonly #events: InboxEvents;
  readonly #onAccepted: (events: readonly WebhookEvent[]) => void;
  #latest = { ms: Number.NaN, iso: '' };

  /** @param deps.onAccepted called after the commit, before the answer: caches forget, the worker wakes */
  constructor(deps: {
    log: DeliveryLog;
    clock: Clock;
    workspace: KnownWorkspace;
    events: InboxEvents;
    onAccepted: (events: readonly WebhookEvent[]) => void;
  }) {
    this.#log = deps.log;
    this.#clock = deps.clock;
    this.#workspace = deps.workspace;
    this.#events = deps.events;
    this.#onAccepted = deps.onAccepted;
  }

  /** @throws ServiceError `unavailable` when it cannot be stored */
  async accept(rawBody: Buffer, idempotencyKey: string | null): Promise<DeliveryResult> {
    const body = this.#read(rawBody);
    const result = await this.#store({
      dedupeKey: idempotencyKey === null ? null : dedupeKey(body.webhookId, idempotencyKey, rawBody),
      receivedAt: this.#now(),
      events: body.events.map((event) => ({
        type: event.type,
        workspaceId: event.workspaceId,
        payload: JSON.stringify(event.raw),
        subjectId: subjectOf(event),
        attributeId: changedIn(event),
      })),
      quarantined: body.quarantined,
    });
    // Also of a duplicate: the first may have been stored by a commit whose answer was lost.
    if (body.events.length > 0) this.#onAccepted(body.events);
    this.#events.deliveryAccepted(result);
    return result;
  }

  /**
   * Reads a quarantined body again: this version, or this workspace, may be another now.
   * @throws ServiceError `refused` when it still cannot be taken
   */
  async acceptAgain(letter: DeadLetter): Promise<void> {
    const rawBody = Buffer.from(letter.bodyBase64 ?? '', 'base64');
    const [stillQuarantined] = this.#read(rawBody).quarantined;
    if (stillQuarantined !== undefined) {
      throw new ServiceError('refused', `it still cannot be taken: ${stillQuarantined.detail}`);
    }
    await this.accept(rawBody, null);
  }

  #read(rawBody: Buffer): ReadBody {
    try {
      return this.#readMembers(parse(rawBody), rawBody);
    } catch {
      // Signed, but not fit for this machine: nested deeper than the stack, for one.
      const letter = this.#letter('unreadable_body', 'it could not be read', rawBody);
      return { webhookId: '', events: [], quarantined: [letter] };
    }
  }

  #readMembers(body: Json | undefined, rawBody: Buffer): ReadBody {
    const members = isJsonObject(body) ? body['events'] : undefined;
    if (!isJsonObject(body) || !Array.isArray(members)) {
      const letter = this.#letter('unreadable_body', 'not a JSON object with a list of events', rawBody);
      return { webhookId: '', events: [], quarantined: [letter] };
    }
    const webhookId = typeof body['webhook_id'] === 'string' ? body['webhook_id'] : '';
    const events: WebhookEvent[] = [];
    const quarantined: NewDeadLetter[] = [];
    for (const member of members) {
      const event = readWebhookEvent(member);
      const letter = this.#quarantine(event, webhookId, member);
      if (letter === null && !('unreadable' in event)) events.push(event);
      else if (letter !== null) quarantined.push(letter);
    }
    if (quarantined.length <= MAX_LETTERS) return { webhookId, events, quarantined };
    const whole = this.#letter(
      'unreadable_events',
      `${quarantined.length} of its events cannot be taken`,
      rawBody,
    );
    return { webhookId, events, quarantined: [whole] };
  }

  #quarantine(
    event: WebhookEvent | { unreadable: string },
    webhookId: string,
    member: Json,
  ): NewDeadLetter | null {
    const alone = () => Buffer.from(JSON.stringify({ webhook_id: webhookId, events: [member] }));
    if ('unreadable' in event) return this.#letter('unreadable_event', event.unreadable, alone());
    const { workspaceId } = this.#workspace;
    if (workspaceId === null || event.workspaceId === null || event.workspaceId === workspaceId) return null;
    return {
      ...this.#letter('foreign_workspace', `sent by workspace ${event.workspaceId}`, alone()),
      eventType: event.type,
    };
  }

  #letter(reason: string, detail: string, rawBody: Buffer): NewDeadLetter {
    return {
      kind: 'inbox',
      reason,
      detail,
      eventId: null,
      outboxId: null,
      eventType: null,
      bodyBase64: rawBody.toString('base64'),
      attempts: 0,
      createdAt: this.#now(),
    };
  }

  async #store(delivery: Delivery): Promise<DeliveryResult> {
    try {
      return await this.#log.add(delivery);
    } catch (cause) {
      throw new ServiceError('unavailable', 'the delivery could not be stored; send it again', {
        retryAfterSeconds: 5,
        cause,
      });
    }
  }

  /** Made once per millisecond: many come in one. */
  #now(): string {
    const ms = this.#clock.now();
    if (this.#latest.ms !== ms) this.#latest = { ms, iso: new Date(ms).toISOString() };
    return this.#latest.iso;
  }
}

/** When this hint came may be all that is ever known of when a value was cleared. */
function changedIn({ type, ids }: WebhookEvent): string | null {
  return type === 'record.updated' || type === 'list-entry.updated' ? (ids['attribute_id'] ?? null) : null;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** @returns undefined when the bytes are not UTF-8 JSON */
function parse(rawBody: Buffer): Json | undefined {
  try {
    return JSON.parse(UTF8.decode(rawBody)) as Json; // JSON.parse gives JSON
  } catch {
    return undefined;
  }
}

function dedupeKey(webhookId: string, idempotencyKey: string, rawBody: Buffer): string {
  return hash('sha256', JSON.stringify([webhookId, idempotencyKey, hash('sha256', rawBody)]));
}
