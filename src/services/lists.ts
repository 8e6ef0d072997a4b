import type { CachedSchema, Wanted } from '../attio/cached-schema.ts';
import type { AttioList, Attribute } from '../attio/types.ts';
import type { Clock } from '../domain/clock.ts';
import { nearest } from '../domain/nearest.ts';
import { askAttio, isForbidden } from './attio-errors.ts';
import { ServiceError } from './errors.ts';
import { Pace } from './pace.ts';
import { bySlug } from './schema.ts';

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
  readonly #again: Pace;
  readonly #mirrored: readonly string[] | null;

  /** @param deps.mirrored slugs of the lists to mirror; null: all */
  constructor(deps: { schema: CachedSchema; clock: Clock; mirrored: readonly string[] | null }) {
    this.#schema = deps.schema;
    this.#again = new Pace(deps.clock, ASK_AGAIN_MS);
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
    return (await this.#find((list) => list.slug === slug)) ?? noList(slug, await this.#all());
  }

  /**
   * One that is mirrored, for a pipeline: of another one nothing true can be shown.
   * @param wanted `known`, for reads: Attio is waited for only when no list is known
   * @throws ServiceError `not_found`; `unavailable`
   */
  async pipeline(slug: string, wanted: Wanted): Promise<ListInfo> {
    const list = wanted === 'known' ? await this.#known(slug) : await this.get(slug);
    if (this.isMirrored(list)) return list;
    throw new ServiceError(
      'not_found',
      `the list "${slug}" is not mirrored here: SYNC_LISTS names ${this.#mirrored?.join(', ') || 'none'}. Add it there and start the service again.`,
    );
  }

  /** Slugs by id, of all the lists that are known. Never waits for Attio. */
  async knownSlugs(): Promise<ReadonlyMap<string, string>> {
    const lists = await this.#schema.listsSoFar();
    return new Map(lists.map(toInfo).map(({ id, slug }) => [id, slug]));
  }

  /**
   * Whether a list bears this slug, as far as it is known; no list does that the token may not read.
   * @throws ServiceError `unavailable`
   */
  async has(slug: string): Promise<boolean> {
    try {
      return (await this.#all('known')).some((list) => list.slug === slug);
    } catch (error) {
      if (isForbidden(error)) return false;
      throw error;
    }
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
  async attributesOf(listId: string, wanted: Wanted = 'current'): Promise<ReadonlyMap<string, Attribute>> {
    const target = { target: 'lists', identifier: listId } as const;
    const ask = () => this.#schema.attributesOf(target, wanted);
    return bySlug(await askAttio(ask, { wanted: "The list's attributes" }));
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

  async #known(slug: string): Promise<ListInfo> {
    const all = await this.#all('known');
    return all.find((list) => list.slug === slug) ?? noList(slug, all);
  }

  async #find(fits: (list: ListInfo) => boolean): Promise<ListInfo | undefined> {
    const found = (await this.#all()).find(fits);
    if (found !== undefined || !this.#again.isDue()) return found;
    this.#schema.expireLists();
    return (await this.#all()).find(fits);
  }

  async #all(wanted: Wanted = 'current'): Promise<ListInfo[]> {
    return (await askAttio(() => this.#schema.lists(wanted), { wanted: "The workspace's lists" })).map(
      toInfo,
    );
  }
}

function toInfo({ id, api_slug: slug, name, parent_object: parentObjects }: AttioList): ListInfo {
  const listId = id.list_id.toLowerCase();
  return { id: listId, slug: slug ?? listId, name, parentObjects };
}

function noList(slug: string, all: readonly ListInfo[]): never {
  const slugs = all.map((list) => list.slug);
  const meant = nearest(slug, slugs);
  const hint = meant === null ? '' : ` Did you mean "${meant}"?`;
  const words = `the workspace has no list "${slug}".${hint} It has ${slugs.join(', ') || 'none'}.`;
  throw new ServiceError('not_found', words);
}
