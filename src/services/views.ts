import type { AttributeTarget } from '../attio/resources/attributes.ts';
import type { Attribute } from '../attio/types.ts';
import type { View, ViewOutcome, ViewRows } from '../domain/views.ts';
import type { ListsService } from './lists.ts';
import { viewColumnsOf } from './views/columns.ts';

export interface ViewStore {
  ensure(view: View): Promise<ViewOutcome>;
}

/** Never throws. */
export interface ViewEvents {
  viewBuilt(view: string): void;
  viewKept(view: string, why: string): void;
  viewFailed(of: string, error: unknown): void;
}

/** Attributes that were read, of an object (by slug) or a list (by id). */
interface Read {
  readonly target: AttributeTarget;
  readonly attributes: readonly Attribute[];
}

/**
 * Keeps the views for people in step with the workspace's schema.
 *
 * It is told of attributes whenever they were read anew, and makes nothing before Attio has said that this is the
 * workspace mirrored here. Views are made one after the other, of what was read last. One that cannot be made is
 * tried again later, and stops nobody: no sync, no event.
 */
export class ViewsService {
  readonly #objects: ReadonlySet<string>;
  readonly #lists: Pick<ListsService, 'byId' | 'isMirrored'>;
  readonly #store: ViewStore;
  readonly #events: ViewEvents;
  /** What is to be made next. */
  readonly #waiting = new Map<string, Read>();
  /** What could not be made. */
  readonly #failed = new Map<string, Read>();
  /** What was told of views that stay as they are, so that it is told once. */
  readonly #told = new Set<string>();
  #mayBuild = false;
  #building: Promise<void> | null = null;

  /** @param deps.objects that are mirrored: only these, and the lists that are, have views */
  constructor(deps: {
    objects: readonly string[];
    lists: Pick<ListsService, 'byId' | 'isMirrored'>;
    store: ViewStore;
    events: ViewEvents;
  }) {
    this.#objects = new Set(deps.objects);
    this.#lists = deps.lists;
    this.#store = deps.store;
    this.#events = deps.events;
  }

  /** An object's attributes were read. To be told of in the order of the reads. */
  attributesRead(object: string, attributes: readonly Attribute[]): void {
    if (this.#objects.has(object)) this.#read({ target: 'objects', identifier: object }, attributes);
  }

  /** The same of a list. */
  listAttributesRead(listId: string, attributes: readonly Attribute[]): void {
    this.#read({ target: 'lists', identifier: listId }, attributes);
  }

  #read(target: AttributeTarget, attributes: readonly Attribute[]): void {
    const key = `${target.target}/${target.identifier}`;
    this.#failed.delete(key);
    this.#waiting.set(key, { target, attributes });
    this.#build();
  }

  /** It is the workspace that is mirrored here. */
  start(): void {
    this.#mayBuild = true;
    this.#build();
  }

  /** Tries again what could not be made. */
  async retry(): Promise<void> {
    for (const { target, attributes } of [...this.#failed.values()]) this.#read(target, attributes);
    await this.built();
  }

  /** Resolves when every view is made, or has failed, whose attributes were read before. Never rejects. */
  async built(): Promise<void> {
    await this.#building;
  }

  /** Makes no more. */
  async stop(): Promise<void> {
    this.#mayBuild = false;
    await this.built();
  }

  #build(): void {
    if (this.#mayBuild && this.#waiting.size > 0) this.#building ??= this.#buildAll();
  }

  async #buildAll(): Promise<void> {
    // What comes to wait meanwhile is met by this very loop.
    for (const [key, read] of this.#waiting) {
      if (!this.#mayBuild) break;
      this.#waiting.delete(key);
      await this.#buildOne(key, read);
    }
    this.#building = null;
  }

  async #buildOne(key: string, read: Read): Promise<void> {
    try {
      const rows = await this.#rowsOf(read.target);
      if (rows === null) return;
      this.#tell(await this.#store.ensure({ rows, columns: viewColumnsOf(read.attributes) }));
    } catch (error) {
      if (!this.#waiting.has(key)) this.#failed.set(key, read);
      this.#events.viewFailed(key, error);
    }
  }

  /** Null for a list that is gone or not mirrored. */
  async #rowsOf({ target, identifier }: AttributeTarget): Promise<ViewRows | null> {
    if (target === 'objects') return { object: identifier };
    const list = await this.#lists.byId(identifier);
    return list !== null && this.#lists.isMirrored(list) ? { list: list.slug, listId: list.id } : null;
  }

  #tell(outcome: ViewOutcome): void {
    if (outcome.is !== 'kept') this.#told.delete(outcome.name);
    if (outcome.is === 'built') this.#events.viewBuilt(outcome.name);
    if (outcome.is !== 'kept' || this.#told.has(outcome.name)) return;
    this.#told.add(outcome.name);
    this.#events.viewKept(outcome.name, outcome.why);
  }
}
