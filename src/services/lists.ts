import type { CachedSchema } from '../attio/cached-schema.ts';
import type { AttioList, Attribute } from '../attio/types.ts';
import type { Clock } from '../domain/clock.ts';
import { nearest } from '../domain/nearest.ts';
import { askAttio } from './attio-errors.ts';
import { ServiceError } from './errors.ts';

/** A list of the workspace, as it is known here. */
export interface ListInfo {
  readonly id: string;
  /** Its id where it has none. */
  readonly slug: string;
  readonly name: string;
  /** Slugs of the objects whose records it takes. */
  readonly parentObjects: readonly string[];
}

/** A list that is not known may be new: it is looked for anew at most this often. */
const ASK_AGAIN_MS = 5_000;

/** The workspace's lists and their attributes. */
export class ListsService {
  readonly #schema: CachedSchema;
  readonly #clock: Clock;
  readonly #mirrored: readonly string[] | null;
  #askedAt = Number.NEGATIVE_INFINITY;

  /** @param deps.mirrored slugs of the lists to mirror; null: all */
  constructor(deps: { schema: CachedSchema; clock: Clock; mirrored: readonly string[] | null }) {
    this.#schema = deps.schema;
    this.#clock = deps.clock;
    this.#mirrored = deps.mirrored;
  }

  /** Those that are mirrored. @throws ServiceError `unavailable` */
  async mirrored(): Promise<ListInfo[]> {
    return (await this.#all()).filter((list) => this.isMirrored(list));
  }

  isMirrored({ slug }: ListInfo): boolean {
    return this.#mirrored === null || this.#mirrored.includes(slug);
  }

  /** By slug. @throws ServiceError `not_found` naming those there are; `unavailable` */
  async get(slug: string): Promise<ListInfo> {
    const found = (await this.#find((list) => list.slug === slug)) ?? null;
    if (found !== null) return found;
    const slugs = (await this.#all()).map((list) => list.slug);
    const meant = nearest(slug, slugs);
    const hint = meant === null ? '' : `; did you mean "${meant}"?`;
    throw new ServiceError(
      'not_found',
      `the workspace has no list "${slug}"${hint} It has ${slugs.join(', ') || 'none'}`,
    );
  }

  /** As webhooks name it. @returns null when the workspace has none such */
  async byId(listId: string): Promise<ListInfo | null> {
    return (await this.#find((list) => list.id === listId)) ?? null;
  }

  /** By slug, when there is one. */
  async bySlug(slug: string): Promise<ListInfo | null> {
    return (await this.#all()).find((list) => list.slug === slug) ?? null;
  }

  /** Attributes by slug. @throws ServiceError `unavailable` */
  async attributesOf(listId: string): Promise<ReadonlyMap<string, Attribute>> {
    return bySlug(await askAttio(() => this.#schema.attributesOf({ target: 'lists', identifier: listId })));
  }

  /** The same from memory, whatever its age; null when there is nothing in memory. Never asks Attio. */
  knownAttributesOf(listId: string): ReadonlyMap<string, Attribute> | null {
    const known = this.#schema.knownAttributesOf({ target: 'lists', identifier: listId });
    return known && bySlug(known);
  }

  /** Lists were made, changed or deleted. Resolves when they are read anew. */
  async changed(): Promise<void> {
    this.#schema.expireLists();
    await this.#all();
  }

  /** An attribute of a list was made or changed. Resolves when they are read anew. */
  async attributesChanged(listId: string): Promise<void> {
    await askAttio(() => this.#schema.attributesAnew({ target: 'lists', identifier: listId }));
  }

  async #find(fits: (list: ListInfo) => boolean): Promise<ListInfo | undefined> {
    const found = (await this.#all()).find(fits);
    const now = this.#clock.now();
    if (found !== undefined || now - this.#askedAt < ASK_AGAIN_MS) return found;
    this.#askedAt = now;
    this.#schema.expireLists();
    return (await this.#all()).find(fits);
  }

  async #all(): Promise<ListInfo[]> {
    return (await askAttio(() => this.#schema.lists())).map(toInfo);
  }
}

function toInfo({ id, api_slug: slug, name, parent_object: parentObjects }: AttioList): ListInfo {
  const listId = id.list_id.toLowerCase();
  return { id: listId, slug: slug ?? listId, name, parentObjects };
}

function bySlug(attributes: readonly Attribute[]): ReadonlyMap<string, Attribute> {
  return new Map(attributes.map((attribute) => [attribute.api_slug, attribute]));
}
