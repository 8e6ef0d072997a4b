import type { Attribute } from '../attio/types.ts';
import type { RecordView, ViewOutcome } from '../domain/views.ts';
import { viewColumnsOf } from './views/columns.ts';

export interface ViewStore {
  ensure(view: RecordView): Promise<ViewOutcome>;
}

/** Never throws. */
export interface ViewEvents {
  viewBuilt(view: string): void;
  viewKept(view: string, why: string): void;
  viewFailed(object: string, error: unknown): void;
}

/**
 * Keeps the views for people in step with the workspace's schema.
 *
 * It is told of attributes whenever they were read anew, and of nothing before Attio has said that this is the
 * workspace mirrored here. Views are made one after the other, of what was read last. One that cannot be made is
 * tried again later, and stops nobody: no sync, no event.
 */
export class ViewsService {
  readonly #objects: ReadonlySet<string>;
  readonly #store: ViewStore;
  readonly #events: ViewEvents;
  /** What is to be made next. */
  readonly #waiting = new Map<string, readonly Attribute[]>();
  /** What could not be made. */
  readonly #failed = new Map<string, readonly Attribute[]>();
  /** What was told of views that stay as they are, so that it is told once. */
  readonly #told = new Set<string>();
  #mayBuild = false;
  #building: Promise<void> | null = null;

  /** @param deps.objects that are mirrored: only these have views */
  constructor(deps: { objects: readonly string[]; store: ViewStore; events: ViewEvents }) {
    this.#objects = new Set(deps.objects);
    this.#store = deps.store;
    this.#events = deps.events;
  }

  /** An object's attributes were read. In the order of the reads. */
  attributesRead(object: string, attributes: readonly Attribute[]): void {
    if (!this.#objects.has(object)) return;
    this.#failed.delete(object);
    this.#waiting.set(object, attributes);
    this.#build();
  }

  /** It is the workspace that is mirrored here. */
  start(): void {
    this.#mayBuild = true;
    this.#build();
  }

  /** Tries again what could not be made. */
  async retry(): Promise<void> {
    for (const [object, attributes] of [...this.#failed]) this.attributesRead(object, attributes);
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
    for (const [object, attributes] of this.#waiting) {
      if (!this.#mayBuild) break;
      this.#waiting.delete(object);
      await this.#buildOne(object, attributes);
    }
    this.#building = null;
  }

  async #buildOne(object: string, attributes: readonly Attribute[]): Promise<void> {
    try {
      this.#tell(await this.#store.ensure({ object, columns: viewColumnsOf(attributes) }));
    } catch (error) {
      if (!this.#waiting.has(object)) this.#failed.set(object, attributes);
      this.#events.viewFailed(object, error);
    }
  }

  #tell(outcome: ViewOutcome): void {
    if (outcome.is !== 'kept') this.#told.delete(outcome.name);
    if (outcome.is === 'built') this.#events.viewBuilt(outcome.name);
    if (outcome.is !== 'kept' || this.#told.has(outcome.name)) return;
    this.#told.add(outcome.name);
    this.#events.viewKept(outcome.name, outcome.why);
  }
}
