import type { LogicalClock } from '../core/clock.ts';
import { listNotFound, objectNotFound, recordNotFound } from '../core/errors.ts';
import { hexSecret, type Random, uuid } from '../core/random.ts';
import type { Actor, Member, Row } from '../core/types.ts';
import type { Lookup } from '../values/codec.ts';
import { codecOf } from '../values/index.ts';
import type { EventType, WebhookEvent } from '../webhooks/events.ts';
import type { Comment, Note, Task, Thread } from './activities.ts';
import type { Table } from './table.ts';

export interface AttioObject {
  readonly id: string;
  slug: string;
  singular: string;
  plural: string;
  readonly createdAt: string;
  readonly table: Table;
}

export interface AttioList {
  readonly id: string;
  slug: string;
  name: string;
  readonly parentObjectIds: readonly string[];
  workspaceAccess: string | null;
  memberAccess: readonly { readonly workspace_member_id: string; readonly level: string }[];
  readonly createdBy: Actor;
  readonly createdAt: string;
  readonly table: Table;
  /** Entry ids by parent record. */
  readonly byParent: Map<string, Set<string>>;
}

export interface WorldOptions {
  readonly clock: LogicalClock;
  readonly random: Random;
  readonly emit: (event: WebhookEvent) => void;
}

export interface Workspace {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
}

/** One workspace: its configuration, its rows, and what hangs on them. Rules live beside it, in this folder. */
export class World implements Lookup {
  readonly workspace: Workspace;
  readonly clock: LogicalClock;
  readonly members: Member[] = [];
  readonly objects: AttioObject[] = [];
  readonly lists: AttioList[] = [];
  readonly notes = new Map<string, Note>();
  readonly tasks = new Map<string, Task>();
  readonly threads = new Map<string, Thread>();
  readonly comments = new Map<string, Comment>();
  readonly #random: Random;
  readonly #emit: (event: WebhookEvent) => void;
  #seq = 0;

  constructor(options: WorldOptions) {
    this.clock = options.clock;
    this.#random = options.random;
    this.#emit = options.emit;
    this.workspace = { id: this.newId(), name: 'Sandbox Workspace', slug: 'sandbox-workspace' };
  }

  newId(): string {
    return uuid(this.#random);
  }

  newSecret(): string {
    return hexSecret(this.#random);
  }

  nextSeq(): number {
    this.#seq += 1;
    return this.#seq;
  }

  emit(type: EventType, ids: Record<string, string>, actor: Actor, more: Record<string, unknown> = {}): void {
    this.#emit({ event_type: type, id: { workspace_id: this.workspace.id, ...ids }, ...more, actor });
  }

  findObject(ref: string): AttioObject | undefined {
    return this.objects.find((object) => object.slug === ref || object.id === ref);
  }

  object(ref: string): AttioObject {
    const found = this.findObject(ref);
    if (found === undefined) throw objectNotFound(ref);
    return found;
  }

  findList(ref: string): AttioList | undefined {
    return this.lists.find((list) => list.slug === ref || list.id === ref);
  }

  list(ref: string): AttioList {
    const found = this.findList(ref);
    if (found === undefined) throw listNotFound(ref);
    return found;
  }

  record(object: AttioObject, id: string): Row {
    const row = object.table.get(id);
    if (row === undefined) throw recordNotFound(id);
    return row;
  }

  objectIdOf(slugOrId: string): string | undefined {
    return this.findObject(slugOrId)?.id;
  }

  objectSlugOf(id: string): string {
    return this.findObject(id)?.slug ?? id;
  }

  recordExists(objectId: string, recordId: string): boolean {
    return this.findObject(objectId)?.table.get(recordId) !== undefined;
  }

  recordWith(objectId: string, attributeRef: string, input: unknown): string | undefined {
    const table = this.object(objectId).table;
    const attribute = table.schema.find(attributeRef);
    if (attribute === undefined || !attribute.unique) return undefined;
    const codec = codecOf(attribute.type);
    return table.holder(attribute, codec.key(codec.parse(input, attribute, this)))?.id;
  }

  member(idOrEmail: string): Member | undefined {
    const wanted = idOrEmail.toLowerCase();
    return this.members.find((one) => one.id === wanted || one.email.toLowerCase() === wanted);
  }
}
