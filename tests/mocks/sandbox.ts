import { handleControl } from './control.ts';
import { AttioError, invalid } from './core/errors.ts';
import type { PlainAnswer, PlainRequest, SandboxAnswer } from './core/exchange.ts';
import { isFault } from './core/exchange.ts';
import { stableUuid } from './core/random.ts';
import type { Actor, Row, Stamp } from './core/types.ts';
import type { Fault, FaultInput } from './faults.ts';
import { type SandboxOptions, type Settings, settle } from './options.ts';
import { Pipeline } from './pipeline.ts';
import type { RequestReport } from './request-log.ts';
import { type MergeSurvivor, mergeRecords } from './state/merge.ts';
import { createRecord, deleteRecord, updateRecord } from './state/records.ts';
import { renderRecord } from './state/render.ts';
import type { AttioObject, World } from './state/world.ts';
import { freshState, type State } from './state.ts';
import type { Delivery } from './webhooks/delivery.ts';

export type RenderedRecord = Record<string, unknown> & { readonly values: Record<string, unknown[]> };

/** A member's id or e-mail address, any other name for some other person, or an actor. Left out: the first member. */
export type ActorInput =
  | string
  | { readonly type?: Actor['type'] | undefined; readonly id?: string | null | undefined };

export interface EditInput {
  readonly object: string;
  readonly recordId: string;
  /** Each named attribute is set to exactly these values. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly actor?: ActorInput | undefined;
}

export interface CreateInput {
  readonly object: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly actor?: ActorInput | undefined;
}

export interface DeleteInput {
  readonly object: string;
  readonly recordId: string;
  readonly actor?: ActorInput | undefined;
}

export interface MergeInput {
  readonly object: string;
  readonly primaryRecordId: string;
  readonly secondaryRecordId: string;
  /** @default 'new' */
  readonly survivor?: MergeSurvivor | undefined;
  readonly actor?: ActorInput | undefined;
}

export interface ActInput {
  readonly method: string;
  /** With or without `/v2`. */
  readonly path: string;
  readonly body?: unknown;
  readonly actor?: ActorInput | undefined;
}

/** A workspace of Attio in memory. What people do in its screens is done through the methods here. */
export class Sandbox {
  readonly #settings: Settings;
  #state: State;
  #pipeline: Pipeline;

  constructor(options: SandboxOptions = {}) {
    this.#settings = settle(options);
    this.#state = freshState(this.#settings);
    this.#pipeline = new Pipeline(this.#settings, this.#state);
  }

  get world(): World {
    return this.#state.world;
  }

  /** Answers one request, of `/v2` or of `/_sandbox`. */
  exchange(request: PlainRequest): Promise<PlainAnswer> {
    const path = request.url.replace(/^[a-z]+:\/\/[^/]*/i, '');
    return path.startsWith('/_sandbox')
      ? handleControl(this, { ...request, url: path })
      : this.#pipeline.answer(request);
  }

  /** The same for web requests. */
  async handle(request: Request): Promise<SandboxAnswer> {
    const answer = await this.exchange({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      body: await request.text(),
    });
    return isFault(answer)
      ? answer
      : new Response(answer.body, { status: answer.status, headers: { ...answer.headers } });
  }

  #actor(input: ActorInput | undefined): Actor {
    const [first] = this.world.members;
    if (typeof input === 'string') {
      const id = this.world.member(input)?.id ?? (isUuid(input) ? input : stableUuid(`person ${input}`));
      return { type: 'workspace-member', id };
    }
    const { type = 'workspace-member', id = type === 'system' ? null : (first?.id ?? null) } = input ?? {};
    return { type, id };
  }

  #stamp(actor: ActorInput | undefined): Stamp {
    return { at: this.world.clock.next(), actor: this.#actor(actor) };
  }

  #render(object: AttioObject, row: Row): RenderedRecord {
    return renderRecord(this.world, object, row) as RenderedRecord;
  }

  /** A person changes a record. */
  edit({ object: ref, recordId, values, actor }: EditInput): RenderedRecord {
    const object = this.world.object(ref);
    const row = this.world.record(object, recordId);
    return this.#render(
      object,
      updateRecord(this.world, object, row, values, this.#stamp(actor), { mode: 'replace' }),
    );
  }

  /** A person makes a record. */
  createRecord({ object: ref, values, actor }: CreateInput): RenderedRecord {
    const object = this.world.object(ref);
    return this.#render(object, createRecord(this.world, object, asArrays(values), this.#stamp(actor)));
  }

  deleteRecord({ object: ref, recordId, actor }: DeleteInput): void {
    const object = this.world.object(ref);
    deleteRecord(this.world, object, this.world.record(object, recordId), this.#stamp(actor));
  }

  /** Gives the record that lives: a new one, both originals are gone; or the primary. */
  merge({ object: ref, primaryRecordId, secondaryRecordId, survivor, actor }: MergeInput): RenderedRecord {
    const object = this.world.object(ref);
    if (primaryRecordId === secondaryRecordId) throw invalid('A record cannot be merged with itself.');
    const [primary, secondary] = [
      this.world.record(object, primaryRecordId),
      this.world.record(object, secondaryRecordId),
    ];
    return this.#render(
      object,
      mergeRecords(this.world, object, primary, secondary, this.#stamp(actor), survivor),
    );
  }

  /** Any request of the API done by a person: no token, limits, faults or log. Throws what Attio would refuse. */
  act({ method, path, body, actor }: ActInput): unknown {
    const url = path.startsWith('/v2/') ? path : `/v2${path.startsWith('/') ? '' : '/'}${path}`;
    const request = { method, url, headers: {}, body: body === undefined ? '' : JSON.stringify(body) };
    const answer = this.#pipeline.asActor(this.#actor(actor), request);
    const parsed: Record<string, unknown> = JSON.parse(answer.body);
    if (answer.status < 400) return parsed['data'] ?? parsed;
    throw new AttioError(answer.status, String(parsed['code']), String(parsed['message']));
  }

  /** Marks a thread resolved or open again: people can, the API cannot. */
  resolveThread(threadId: string, resolved: boolean, actor?: ActorInput): void {
    const { world } = this;
    const thread = world.threads.get(threadId);
    const comment = world.comments.get(thread?.commentIds[0] ?? '');
    if (thread === undefined || comment === undefined) throw invalid(`No thread "${threadId}".`);
    const stamp = this.#stamp(actor);
    comment.resolvedAt = resolved ? stamp.at : null;
    comment.resolvedBy = resolved ? stamp.actor : null;
    world.emit(
      resolved ? 'comment.resolved' : 'comment.unresolved',
      { comment_id: comment.id },
      stamp.actor,
      {
        thread_id: thread.id,
        object_id: thread.objectId,
        record_id: thread.recordId,
        list_id: thread.listId,
        entry_id: thread.entryId,
      },
    );
  }

  /** @param scopes all that the token may do, such as `note:read-write`; left out: everything */
  setToken(token: string, active: boolean, scopes?: readonly string[]): void {
    this.#state.tokens.set(token, active, scopes);
  }

  addFault(fault: FaultInput): Fault {
    return this.#state.faults.add(fault);
  }

  faults(): readonly Fault[] {
    return this.#state.faults.list();
  }

  removeFault(id: string): void {
    this.#state.faults.remove(id);
  }

  clearFaults(): void {
    this.#state.faults.clear();
  }

  requests(since?: string): RequestReport {
    return this.#state.log.report(since);
  }

  clearRequests(): void {
    this.#state.log.clear();
  }

  deliveries(): readonly Delivery[] {
    return this.#state.dispatcher.deliveries();
  }

  /** Resolves when no webhook delivery is waiting, in flight or to be retried. */
  settled(): Promise<void> {
    return this.#state.dispatcher.settled();
  }

  /** How much there is of everything. */
  summary(): Record<string, unknown> {
    const { world, webhooks } = this.#state;
    return {
      workspaceId: world.workspace.id,
      members: world.members.map(({ id, email }) => ({ id, email })),
      objects: Object.fromEntries(world.objects.map(({ slug, table }) => [slug, table.size])),
      lists: Object.fromEntries(world.lists.map(({ slug, table }) => [slug, table.size])),
      notes: world.notes.size,
      tasks: world.tasks.size,
      threads: world.threads.size,
      comments: world.comments.size,
      webhooks: webhooks.list().map(({ id, targetUrl, status }) => ({ id, targetUrl, status })),
    };
  }

  /** The seeded workspace again: same ids, no webhooks, no faults, empty log. */
  reset(): void {
    this.#state.dispatcher.close();
    this.#state = freshState(this.#settings);
    this.#pipeline = new Pipeline(this.#settings, this.#state);
  }

  close(): void {
    this.#state.dispatcher.close();
  }
}

function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/** The controls are for people in a hurry: bare values and null (none) will do. */
function asArrays(values: Readonly<Record<string, unknown>>): Record<string, unknown[]> {
  const wrap = (value: unknown) => (value === null ? [] : Array.isArray(value) ? value : [value]);
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, wrap(value)]));
}

export function createSandbox(options: SandboxOptions = {}): Sandbox {
  return new Sandbox(options);
}
