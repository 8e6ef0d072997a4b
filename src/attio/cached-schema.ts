import type { SchemaCache } from '../cache/schema-cache.ts';
import type { JsonObject } from '../domain/json.ts';
import { isAttioError } from './errors.ts';
import type { AttributesResource, AttributeTarget } from './resources/attributes.ts';
import type { ListsResource } from './resources/lists.ts';
import type { MembersResource } from './resources/members.ts';
import type { ObjectsResource } from './resources/objects.ts';
import type { AttioList, AttioObject, Attribute, Member, Option, Status } from './types.ts';

const OBJECTS = 'objects';
const LISTS = 'lists';
const MEMBERS = 'members';
const NONE: readonly never[] = [];

/**
 * How new definitions must be. `current`: in time, else Attio is asked. `known`: of any age, from memory or as last kept,
 * and read again behind the answer when they are old; Attio is waited for only when nothing is known.
 */
export type Wanted = 'current' | 'known';

/** How long what could not be read is not tried again behind an answer; longer when it is the token that may not. */
const REST_MS = 30_000;
const FORBIDDEN_REST_MS = 5 * 60_000;

/** Keys are of the workspace's own objects and lists, or were asked for by a caller. */
const MAX_RESTING = 1_000;

/** A stage or an option, archived ones included. */
export type Choice = Pick<Status, 'title' | 'is_archived'> & { readonly choiceId: string };

/** Keeps definitions over restarts. Neither of the two rejects. */
export interface KeptDefinitions {
  remember(key: string, items: readonly JsonObject[]): Promise<void>;
  recall(key: string): Promise<readonly JsonObject[] | null>;
}

/** The workspace's definitions through the schema cache: objects, lists, attributes, choices, members; an old answer while Attio gives none. */
export class CachedSchema {
  readonly #objects: Pick<ObjectsResource, 'list'>;
  readonly #lists: Pick<ListsResource, 'list'>;
  readonly #members: Pick<MembersResource, 'list'>;
  readonly #attributes: Pick<AttributesResource, 'all' | 'options' | 'statuses'>;
  readonly #cache: SchemaCache;
  readonly #kept: KeptDefinitions;
  readonly #now: () => number;
  readonly #onAttributes: (target: AttributeTarget, attributes: readonly Attribute[]) => void;
  /** What could not be read, and until when it rests. */
  readonly #resting = new Map<string, { readonly error: unknown; readonly until: number }>();

  /** @param deps.onAttributes told of attributes that Attio has just answered */
  constructor(deps: {
    objects: Pick<ObjectsResource, 'list'>;
    lists: Pick<ListsResource, 'list'>;
    members: Pick<MembersResource, 'list'>;
    attributes: Pick<AttributesResource, 'all' | 'options' | 'statuses'>;
    cache: SchemaCache;
    kept: KeptDefinitions;
    now: () => number;
    onAttributes?: (target: AttributeTarget, attributes: readonly Attribute[]) => void;
  }) {
    this.#objects = deps.objects;
    this.#lists = deps.lists;
    this.#members = deps.members;
    this.#attributes = deps.attributes;
    this.#cache = deps.cache;
    this.#kept = deps.kept;
    this.#now = deps.now;
    this.#onAttributes = deps.onAttributes ?? (() => {});
  }

  /** @throws AttioApiError */
  objects(wanted: Wanted = 'current'): Promise<readonly (AttioObject & JsonObject)[]> {
    return this.#definitions(OBJECTS, wanted, this.#loadObjects);
  }

  /** From memory, in time; null when they would have to be waited for. */
  heldObjects(): readonly (AttioObject & JsonObject)[] | null {
    return this.#held<AttioObject>(OBJECTS);
  }

  /** @throws AttioApiError */
  async lists(wanted: Wanted = 'current'): Promise<readonly AttioList[]> {
    return this.#definitions<AttioList>(LISTS, wanted, this.#loadLists);
  }

  /** Of any age, from memory or as last kept, and read again behind the answer; none when none are known. Never waits for Attio. */
  async listsSoFar(): Promise<readonly AttioList[]> {
    return this.#soFar(LISTS, this.#loadLists);
  }

  /** The suspended included. @throws AttioApiError */
  async members(): Promise<readonly Member[]> {
    return this.#definitions<Member>(MEMBERS, 'current', this.#loadMembers);
  }

  /** The same as of lists. */
  async membersSoFar(): Promise<readonly Member[]> {
    return this.#soFar(MEMBERS, this.#loadMembers);
  }

  /** From memory, whatever their age; none when there is nothing in memory. */
  knownMembers(): readonly Member[] {
    const known = this.#cache.peek(MEMBERS);
    return (known?.items ?? NONE) as readonly (Member & JsonObject)[]; // what `members` has put there
  }

  /** Of an object by slug. @throws AttioApiError */
  async attributes(object: string, wanted?: Wanted): Promise<readonly (Attribute & JsonObject)[]> {
    return this.attributesOf({ target: 'objects', identifier: object }, wanted);
  }

  /** Of an object (by slug) or a list (by id). @throws AttioApiError */
  async attributesOf(
    target: AttributeTarget,
    wanted: Wanted = 'current',
  ): Promise<readonly (Attribute & JsonObject)[]> {
    return this.#definitions(
      attributesKey(target),
      wanted,
      () => this.#attributes.all(target),
      (attributes) => this.#onAttributes(target, attributes),
    );
  }

  /**
   * The same, read from Attio now: they have changed. Their choices may have as well, also those that another instance
   * has read: they are expired, and stages in memory are read anew behind this.
   * @throws AttioApiError
   */
  async attributesAnew(target: AttributeTarget): Promise<readonly (Attribute & JsonObject)[]> {
    this.expireAttributesOf(target);
    const attributes = await this.attributesOf(target);
    for (const attribute of attributes) {
      if (attribute.type !== 'select' && attribute.type !== 'status') continue;
      this.expireChoices(target, attribute.api_slug);
      const isHeld = this.#cache.peek(choicesKey(target, attribute.api_slug)) !== null;
      if (isHeld && attribute.type === 'status') this.choices(target, attribute).catch(() => {});
    }
    return attributes;
  }

  /** The stages of a status attribute, or the options of a select, in their order. @throws AttioApiError */
  async choices(
    target: AttributeTarget,
    attribute: Pick<Attribute, 'api_slug' | 'type'>,
    wanted: Wanted = 'current',
  ): Promise<readonly Choice[]> {
    return this.#definitions(choicesKey(target, attribute.api_slug), wanted, async () => {
      const request = { showArchived: true };
      if (attribute.type === 'status') {
        return (await this.#attributes.statuses(target, attribute.api_slug, request)).data.map(ofStatus);
      }
      return (await this.#attributes.options(target, attribute.api_slug, request)).data.map(ofOption);
    });
  }

  /** From memory, whatever its age; null when there is nothing in memory. */
  knownAttributes(object: string): readonly (Attribute & JsonObject)[] | null {
    return this.knownAttributesOf({ target: 'objects', identifier: object });
  }

  knownAttributesOf(target: AttributeTarget): readonly (Attribute & JsonObject)[] | null {
    const known = this.#cache.peek(attributesKey(target));
    return known && (known.items as readonly (Attribute & JsonObject)[]); // what `attributesOf` has put there
  }

  /** They have changed: the next read asks Attio. */
  expireAttributes(object: string): void {
    this.expireAttributesOf({ target: 'objects', identifier: object });
  }

  expireAttributesOf(target: AttributeTarget): void {
    for (const { api_slug: slug } of this.knownAttributesOf(target) ?? []) this.expireChoices(target, slug);
    this.#cache.expire(attributesKey(target));
  }

  expireChoices(target: AttributeTarget, attribute: string): void {
    this.#cache.expire(choicesKey(target, attribute));
  }

  expireLists(): void {
    this.#cache.expire(LISTS);
  }

  expireMembers(): void {
    this.#cache.expire(MEMBERS);
  }

  forgetObjects(): void {
    this.#cache.invalidate(OBJECTS);
  }

  readonly #loadObjects = async (): Promise<readonly AttioObject[]> => (await this.#objects.list()).data;
  readonly #loadLists = async (): Promise<readonly AttioList[]> => (await this.#lists.list()).data;
  readonly #loadMembers = async (): Promise<readonly Member[]> => (await this.#members.list()).data;

  async #soFar<T>(key: string, load: Load<T>): Promise<readonly (T & JsonObject)[]> {
    const known = await this.#known<T>(key);
    this.#readBehind(key, load);
    return known ?? NONE;
  }

  async #definitions<T>(
    key: string,
    wanted: Wanted,
    load: Load<T>,
    onLoaded: (items: readonly T[]) => void = () => {},
  ): Promise<readonly (T & JsonObject)[]> {
    const held = this.#held<T>(key);
    if (held !== null) return held;
    if (wanted === 'current') return this.#current(key, load, onLoaded);
    const known = await this.#known<T>(key);
    if (known !== null) {
      this.#readBehind(key, load, onLoaded);
      return known;
    }
    const resting = this.#restOf(key);
    // What the token may not read is not asked for again by everybody who would like to know.
    if (isAttioError(resting, 'forbidden')) throw resting;
    return this.#current(key, load, onLoaded);
  }

  #held<T>(key: string): readonly (T & JsonObject)[] | null {
    const held = this.#cache.held(key);
    return held && (held.items as readonly (T & JsonObject)[]); // what was read under this key
  }

  /** From memory, whatever their age, else as last kept; null when there is nothing. Asks nobody. */
  async #known<T>(key: string): Promise<readonly (T & JsonObject)[] | null> {
    const items = this.#cache.peek(key)?.items ?? (await this.#kept.recall(key));
    return items as readonly (T & JsonObject)[] | null; // what was read under this key
  }

  /** Reads what is old, or not there, for those who ask next. What is in time costs nothing: the cache answers. */
  #readBehind<T>(key: string, load: Load<T>, onLoaded?: (items: readonly T[]) => void): void {
    if (this.#restOf(key) === null) this.#current(key, load, onLoaded).catch(() => {});
  }

  /** The error for which something is not tried again yet. */
  #restOf(key: string): unknown {
    const resting = this.#resting.get(key);
    return resting === undefined || resting.until <= this.#now() ? null : resting.error;
  }

  #rest(key: string, error: unknown): void {
    if (this.#resting.size >= MAX_RESTING) this.#resting.clear();
    const ms = isAttioError(error, 'forbidden') ? FORBIDDEN_REST_MS : REST_MS;
    this.#resting.set(key, { error, until: this.#now() + ms });
  }

  async #current<T>(
    key: string,
    load: Load<T>,
    onLoaded: (items: readonly T[]) => void = () => {},
  ): Promise<readonly (T & JsonObject)[]> {
    try {
      const { value, result } = await this.#cache.read(
        key,
        // What Attio answers is JSON, which the loose schemas of `types.ts` cannot say.
        async () => ({ items: (await this.#noting(key, load)) as readonly JsonObject[] }),
        (error) => isAttioError(error),
      );
      // What `load` has put there under this key.
      const items = (value?.items ?? []) as readonly (T & JsonObject)[];
      if (result === 'MISS') {
        onLoaded(items);
        void this.#kept.remember(key, items);
      }
      return items;
    } catch (error) {
      const items = isAttioError(error) && !error.traits.final ? await this.#kept.recall(key) : null;
      if (items === null) throw error;
      return items as readonly (T & JsonObject)[]; // what was remembered under this key
    }
  }

  async #noting<T>(key: string, load: Load<T>): Promise<readonly T[]> {
    try {
      const items = await load();
      this.#resting.delete(key);
      return items;
    } catch (error) {
      this.#rest(key, error);
      throw error;
    }
  }
}

type Load<T> = () => Promise<readonly T[]>;

function attributesKey({ target, identifier }: AttributeTarget): string {
  return target === 'objects' ? `attributes:${identifier}` : `attributes:${target}/${identifier}`;
}

function choicesKey({ target, identifier }: AttributeTarget, attribute: string): string {
  return `choices:${target}/${identifier}/${attribute}`;
}

function ofStatus({ id, title, is_archived }: Status): Choice {
  return { choiceId: id.status_id, title, is_archived };
}

function ofOption({ id, title, is_archived }: Option): Choice {
  return { choiceId: id.option_id, title, is_archived };
}
