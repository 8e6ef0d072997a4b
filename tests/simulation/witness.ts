import type { PlainAnswer, PlainRequest } from '../mocks/core/exchange.ts';
import { isFault } from '../mocks/core/exchange.ts';
import type { Row } from '../mocks/core/types.ts';
import type { Sandbox } from '../mocks/sandbox.ts';
import { valuesOf } from '../mocks/state/values-of.ts';
import type { History } from './history.ts';

/** What is watched, by object. */
const WATCHED: Readonly<Record<string, readonly string[]>> = {
  people: ['job_title', 'description', 'internal_comment', 'name', 'interests', 'email_addresses'],
  companies: ['name', 'description', 'domains'],
  deals: ['name', 'stage', 'external_id'],
};

type Seen = Map<string, { object: string; recordId: string; field: string; value: string | null }>;

/** Sees what becomes of Attio's values, who does it, and what the service is shown of them. */
export class Witness {
  readonly #sandbox: Sandbox;
  readonly #history: History;
  readonly #now: () => number;
  /** Addresses that the workspace began with. */
  readonly firstEmails: readonly string[];
  #requests = 0;

  constructor(sandbox: Sandbox, history: History, now: () => number) {
    this.#sandbox = sandbox;
    this.#history = history;
    this.#now = now;
    const { table } = sandbox.world.object('people');
    this.firstEmails = [...table.inOrder()].flatMap((row) =>
      textOf(sandbox, 'people', row, 'email_addresses'),
    );
  }

  /** Does something in Attio, and notes what it has changed. @param request null: a person does it */
  observe<T>(request: number | null, act: () => T): T {
    const before = this.#look();
    const result = act();
    const after = this.#look();
    const at = this.#now();
    for (const [key, now] of after) {
      const was = before.get(key)?.value ?? null;
      if (was !== now.value) {
        const { object, recordId, field } = now;
        this.#history.changes.push({
          at,
          request,
          object,
          recordId,
          field,
          before: was,
          after: now.value,
        });
      }
    }
    for (const [key, { recordId }] of before) if (!after.has(key)) this.#history.deleted.set(recordId, at);
    return result;
  }

  #look(): Seen {
    const seen: Seen = new Map();
    const { world } = this.#sandbox;
    for (const [object, fields] of Object.entries(WATCHED)) {
      for (const row of world.object(object).table.inOrder()) this.#lookAt(seen, object, row, fields);
    }
    for (const [object, items] of Object.entries({ notes: world.notes, tasks: world.tasks })) {
      for (const { id, content } of items.values()) {
        seen.set(id, { object, recordId: id, field: 'content', value: content });
      }
    }
    return seen;
  }

  #lookAt(seen: Seen, object: string, row: Row, fields: readonly string[]): void {
    for (const field of fields) {
      const texts = textOf(this.#sandbox, object, row, field);
      const value = texts.length === 0 ? null : texts.join(', ');
      seen.set(`${row.id}/${field}`, { object, recordId: row.id, field, value });
    }
  }

  /** What a record of Attio's holds of an attribute. */
  values(object: string, row: Row, slug: string) {
    return valuesIn(this.#sandbox, object, row, slug);
  }

  /** A request of the service's has arrived at Attio. */
  async exchange(life: number, sentAt: number, request: PlainRequest): Promise<PlainAnswer> {
    this.#requests += 1;
    const id = this.#requests;
    this.#history.sent.push({
      id,
      life,
      sentAt,
      method: request.method,
      path: request.url,
      body: request.body,
    });
    const reads = request.method === 'GET' || request.url.endsWith('/query');
    return reads ? this.#sandbox.exchange(request) : this.observe(id, () => this.#sandbox.exchange(request));
  }

  /** The service has heard an answer. */
  heard(life: number, madeAt: number, answer: PlainAnswer): void {
    if (isFault(answer) || answer.status >= 300) return;
    for (const [, recordId = ''] of answer.body.matchAll(/"record_id":"([0-9a-f-]{36})"/g)) {
      this.#history.shown.push({ life, recordId, reflects: madeAt, heardAt: this.#now() });
    }
  }
}

function valuesIn(sandbox: Sandbox, object: string, row: Row, slug: string) {
  const attribute = sandbox.world.object(object).table.schema.find(slug);
  return attribute === undefined ? [] : valuesOf(row, attribute);
}

/** The values of an attribute, as texts; a name is its halves. */
function textOf(sandbox: Sandbox, object: string, row: Row, slug: string): string[] {
  return valuesIn(sandbox, object, row, slug).flatMap(({ key, data }) => {
    const { value, first_name: first, last_name: last } = data;
    if (typeof value === 'string') return [value];
    return typeof first === 'string' ? [first, String(last)] : [key];
  });
}
