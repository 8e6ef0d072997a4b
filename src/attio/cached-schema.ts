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
const NONE: readonly JsonObject[] = [];

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
  readonly #onAttributes: (target: AttributeTarget, attributes: readonly Attribute[]) => void;

  /** @param deps.onAttributes told of attributes that Attio has just answered */
  constructor(deps: {
    objects: Pick<ObjectsResource, 'list'>;
    lists: Pick<ListsResource, 'list'>;
    members: Pick<MembersResource, 'list'>;
    attributes: Pick<AttributesResource, 'all' | 'options' | 'statuses'>;
    cache: SchemaCache;
    kept: KeptDefinitions;
    onAttributes?: (target: AttributeTarget, attributes: readonly Attribute[]) => void;
  }) {
    this.#objects = deps.objects;
    this.#lists = deps.lists;
    this.#members = deps.members;
    this.#attributes = deps.attributes;
    this.#cache = deps.cache;
    this.#kept = deps.kept;
    this.#onAttributes = deps.onAttributes ?? (() => {});
  }

  /** @throws AttioApiError */
  async objects(): Promise<readonly (AttioObject & JsonObject)[]> {
    return this.#definitions(OBJECTS, async () => (await this.#objects.list()).data);
  }

  /** @throws AttioApiError */
  async lists(): Promise<readonly AttioList[]> {
    return this.#definitions<AttioList>(LISTS, async () => (await this.#lists.list()).data);
  }

  /** The suspended included. @throws AttioApiError */
  async members(): Promise<readonly Member[]> {
    return this.#definitions<Member>(MEMBERS, async () => (await this.#members.list()).data);
  }

  /** From memory, whatever their age; none when there is nothing in memory. */
  knownMembers(): readonly Member[] {
    const known = this.#cache.peek(MEMBERS);
    return (known?.items ?? NONE) as readonly (Member & JsonObject)[]; // what `members` has put there
  }

  /** Of an object by slug. @throws AttioApiError */
  async attributes(object: string): Promise<readonly (Attribute & JsonObject)[]> {
    return this.attributesOf({ target: 'objects', identifier: object });
  }

  /** Of an object (by slug) or a list (by id). @throws AttioApiError */
  async attributesOf(target: AttributeTarget): Promise<readonly (Attribute & JsonObject)[]> {
    return this.#definitions(
      attributesKey(target),
      () => this.#attributes.all(target),
      (attributes) => this.#onAttributes(target, attributes),
    );
  }

  /**
   * The same, read from Attio now: they have changed. Their choices may have as well, also those that another instance
   * has read: the next read of them asks Attio.
   * @throws AttioApiError
   */
  async attributesAnew(target: AttributeTarget): Promise<readonly (Attribute & JsonObject)[]> {
    this.expireAttributesOf(target);
    const attributes = await this.attributesOf(target);
    for (const { api_slug: slug, type } of attributes) {
      if (type === 'select' || type === 'status') this.expireChoices(target, slug);
    }
    return attributes;
  }

  /** The stages of a status attribute, or the options of a select, in their order. @throws AttioApiError */
  async choices(
    target: AttributeTarget,
    attribute: Pick<Attribute, 'api_slug' | 'type'>,
  ): Promise<readonly Choice[]> {
    return this.#definitions(choicesKey(target, attribute.api_slug), async () => {
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

  async #definitions<T>(
    key: string,
    load: () => Promise<readonly T[]>,
    onLoaded: (items: readonly T[]) => void = () => {},
  ): Promise<readonly (T & JsonObject)[]> {
    try {
      const { value, result } = await this.#cache.read(
        key,
        // What Attio answers is JSON, which the loose schemas of `types.ts` cannot say.
        async () => ({ items: (await load()) as readonly JsonObject[] }),
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
}

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
