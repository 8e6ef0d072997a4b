import type { CircuitBreaker, CircuitName, CircuitState } from './breaker.ts';
import { AttributesResource } from './resources/attributes.ts';
import { CommentsResource, ThreadsResource } from './resources/comments.ts';
import { EntriesResource } from './resources/entries.ts';
import { ListsResource } from './resources/lists.ts';
import { MembersResource } from './resources/members.ts';
import { NotesResource } from './resources/notes.ts';
import { ObjectsResource } from './resources/objects.ts';
import { RecordsResource } from './resources/records.ts';
import { readSelf } from './resources/self.ts';
import { TasksResource } from './resources/tasks.ts';
import { WebhooksResource } from './resources/webhooks.ts';
import { type AttioResponse, type RequestOptions, Transport, type TransportDeps } from './transport.ts';
import type { Self } from './types.ts';

export type AttioClientDeps = TransportDeps;

export interface CircuitView {
  readonly state: CircuitState;
  /** Milliseconds until the next attempt is let through; 0: now. */
  readonly untilAllowedMs: number;
}

/** From best to worst. */
const SEVERITY: readonly CircuitState[] = ['closed', 'half-open', 'open'];

/** Attio's REST API (v2), typed. Every request goes through one transport with its limits, retries and circuits. */
export class AttioClient {
  readonly objects: ObjectsResource;
  readonly attributes: AttributesResource;
  readonly records: RecordsResource;
  readonly comments: CommentsResource;
  readonly threads: ThreadsResource;
  readonly entries: EntriesResource;
  readonly lists: ListsResource;
  readonly members: MembersResource;
  readonly notes: NotesResource;
  readonly tasks: TasksResource;
  readonly webhooks: WebhooksResource;
  readonly #transport: Transport;

  constructor(deps: AttioClientDeps) {
    this.#transport = new Transport(deps);
    const sender = { sender: this.#transport };
    this.objects = new ObjectsResource(sender);
    this.attributes = new AttributesResource(sender);
    this.records = new RecordsResource(sender);
    this.comments = new CommentsResource(sender);
    this.threads = new ThreadsResource(sender);
    this.entries = new EntriesResource(sender);
    this.lists = new ListsResource(sender);
    this.members = new MembersResource(sender);
    this.notes = new NotesResource(sender);
    this.tasks = new TasksResource(sender);
    this.webhooks = new WebhooksResource(sender);
  }

  /** The circuits of reads and of writes, and the worse of the two. */
  get circuit(): { readonly state: CircuitState } & Readonly<Record<CircuitName, CircuitView>> {
    const reads = view(this.#transport.circuit('reads'));
    const writes = view(this.#transport.circuit('writes'));
    const worse = Math.max(SEVERITY.indexOf(reads.state), SEVERITY.indexOf(writes.state));
    return { state: SEVERITY[worse] ?? 'open', reads, writes };
  }

  /**
   * Whose token it is. For a probe: `{retry: false, timeoutMs: 1500}`.
   * @throws AttioApiError; `token_inactive` when Attio refuses the token
   */
  self(options?: RequestOptions): Promise<AttioResponse<Self>> {
    return readSelf(this.#transport, options);
  }

  /** What Attio's clock shows at an instant of ours, as far as its answers tell; milliseconds. */
  attioTime(ms: number): number {
    return this.#transport.clock.guess(ms);
  }

  /** Ends what waits and what was sent, and refuses what comes. */
  close(): void {
    this.#transport.close();
  }
}

function view(breaker: CircuitBreaker): CircuitView {
  return { state: breaker.state, untilAllowedMs: breaker.untilAllowedMs };
}
