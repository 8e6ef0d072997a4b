import { randomUUID } from 'node:crypto';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { sign } from '../../support/service.ts';
import { type Answer, Balancer, type Request } from './balancer.ts';
import { AUTHORIZED, SECRET, type Stage } from './stage.ts';

/** So many that each writes seldom enough to wait for its answers. */
export const CONTACTS = 300;
const EDITED = 150;
const NOTES_PER_SECOND = 1;
const GIVE_UP_MS = 600_000;
/** Doubled by each try, as Attio does. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 16_000;
/** Begun without a look at what else there is to do. */
const LATE_AT_ONCE = 20;

export interface Rates {
  readonly deliveries: number;
  readonly upserts: number;
}

interface Person {
  readonly id: { readonly record_id: string };
}

/** Attio and callers: what is not accepted is sent again, to the next instance. */
export class Load {
  readonly #stage: Stage;
  readonly #balancer: Balancer;
  readonly #under: Promise<void>[] = [];
  /** By attribute id, of which each is told of once. */
  readonly deliveries = new Set<string>();
  /** The last title that was accepted, by address. */
  readonly titles = new Map<string, string>();
  upserts = 0;
  notes = 0;
  /** 503 with Retry-After. */
  refused = 0;
  /** Of an instance that was killed, paused or not yet there. */
  unanswered = 0;
  readonly faults: string[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#balancer = new Balancer(stage.instances.map(({ url }) => url));
  }

  /** Resolves when all that was begun before `endsAt` is accepted. */
  async run(endsAt: number, rates: Rates): Promise<void> {
    await Promise.all([
      this.#deliver(endsAt, rates.deliveries),
      ...Array.from({ length: CONTACTS }, (_, contact) => this.#upsert(contact, endsAt, rates.upserts)),
      this.#addNotes(endsAt),
    ]);
    await Promise.all(this.#under);
    this.#balancer.close();
  }

  /** Attio waits for no delivery's answer before the next edit. */
  #deliver(endsAt: number, perSecond: number): Promise<void> {
    const { sandbox, attio } = this.#stage;
    const people = attio<Person[]>('POST', '/objects/people/records/query', { limit: EDITED });
    return paced(endsAt, perSecond, (count) => {
      const id = people[count % people.length]?.id;
      const recordId = id?.record_id ?? '';
      sandbox.edit({ object: 'people', recordId, values: { job_title: `Edit ${count}` } });
      const attributeId = randomUUID();
      const event = { event_type: 'record.updated', id: { ...id, attribute_id: attributeId } };
      const body = JSON.stringify({ webhook_id: '00000000-0000-4000-8000-000000000001', events: [event] });
      const headers = { 'attio-signature': sign(body, SECRET), 'idempotency-key': attributeId };
      const delivery = this.#send({ method: 'POST', path: '/webhooks', body, headers });
      this.#under.push(delivery.then((isAccepted) => void (isAccepted && this.deliveries.add(attributeId))));
    });
  }

  /** Writes of one contact come one after the other, each when the one before it was accepted. */
  async #upsert(contact: number, endsAt: number, perSecond: number): Promise<void> {
    const email = `drill.${contact}@example.com`;
    await sleep((contact * 1_000) / perSecond);
    await paced(endsAt, perSecond / CONTACTS, async (count) => {
      const jobTitle = `Title ${count}`;
      const body = JSON.stringify({ email, jobTitle });
      if (!(await this.#send({ method: 'PUT', path: '/v1/contacts', body, headers: AUTHORIZED }))) return;
      this.titles.set(email, jobTitle);
      this.upserts += 1;
    });
  }

  #addNotes(endsAt: number): Promise<void> {
    const people = this.#stage.attio<Person[]>('POST', '/objects/people/records/query', { limit: 1 });
    const recordId = people[0]?.id.record_id;
    return paced(endsAt, NOTES_PER_SECOND, async (count) => {
      const body = JSON.stringify({ recordId, title: `Drill ${count}`, content: 'Once' });
      const headers = { ...AUTHORIZED, 'idempotency-key': `note-${count}` };
      if (await this.#send({ method: 'POST', path: '/v1/notes', body, headers })) this.notes += 1;
    });
  }

  /** @returns whether it was accepted */
  async #send(request: Request): Promise<boolean> {
    const what = `${request.method} ${request.path}`;
    const deadline = Date.now() + GIVE_UP_MS;
    for (let tries = 0; Date.now() < deadline; tries += 1) {
      const answer = await this.#balancer.send(request);
      if (answer.status >= 200 && answer.status < 300) return true;
      const leastMs = this.#patience(request, answer);
      if (leastMs === null) {
        this.faults.push(`${what} was answered ${answer.status}, Retry-After ${answer.retryAfter}`);
        return false;
      }
      const waitMs = Math.max(leastMs, Math.min(FIRST_RETRY_MS * 2 ** tries, LAST_RETRY_MS));
      await sleep(waitMs * (0.75 + Math.random() / 2));
    }
    this.faults.push(`${what} was accepted by nobody within ${GIVE_UP_MS / 1_000} s`);
    return false;
  }

  /** @returns after how long at least it is sent again; null: it should not have been answered so */
  #patience({ headers }: Request, { status, retryAfter }: Answer): number | null {
    if (status === 0) {
      this.unanswered += 1;
      return 0;
    }
    if (status === 503 && retryAfter > 0) {
      this.refused += 1;
      return retryAfter * 1_000;
    }
    // The try before this one is still under way.
    return status === 409 && headers?.['idempotency-key'] !== undefined ? 1_000 : null;
  }
}

/** Begins so many a second, each at its time or, where the one before has taken longer, right after it. */
async function paced(
  endsAt: number,
  perSecond: number,
  begin: (count: number) => Promise<void> | void,
): Promise<void> {
  const startedAt = Date.now();
  for (let count = 0; ; count += 1) {
    const dueAt = startedAt + (count * 1_000) / perSecond;
    if (Math.max(dueAt, Date.now()) >= endsAt) return;
    if (dueAt > Date.now()) await sleep(dueAt - Date.now());
    else if (count % LATE_AT_ONCE === 0) await setImmediate();
    await begin(count);
  }
}
