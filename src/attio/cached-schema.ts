import type { SchemaCache } from '../cache/schema-cache.ts';
import type { JsonObject } from '../domain/json.ts';
import { isAttioError } from './errors.ts';
import type { AttributesResource } from './resources/attributes.ts';
import type { ObjectsResource } from './resources/objects.ts';
import type { AttioObject, Attribute } from './types.ts';

const OBJECTS = 'objects';

/** The workspace's objects and their attributes, through the schema cache; an old answer while Attio gives none. */
export class CachedSchema {
  readonly #objects: Pick<ObjectsResource, 'list'>;
  readonly #attributes: Pick<AttributesResource, 'all'>;
  readonly #cache: SchemaCache;

  constructor(deps: {
    objects: Pick<ObjectsResource, 'list'>;
    attributes: Pick<AttributesResource, 'all'>;
    cache: SchemaCache;
  }) {
    this.#objects = deps.objects;
    this.#attributes = deps.attributes;
    this.#cache = deps.cache;
  }

  /** @throws AttioApiError */
  async objects(): Promise<readonly (AttioObject & JsonObject)[]> {
    return this.#definitions(OBJECTS, async () => (await this.#objects.list()).data);
  }

  /** @throws AttioApiError */
  async attributes(object: string): Promise<readonly (Attribute & JsonObject)[]> {
    return this.#definitions(`attributes:${object}`, () =>
      this.#attributes.all({ target: 'objects', identifier: object }),
    );
  }

  /** From memory, whatever its age; null when there is nothing in memory. */
  knownAttributes(object: string): readonly (Attribute & JsonObject)[] | null {
    const known = this.#cache.peek(`attributes:${object}`);
    return known && (known.items as readonly (Attribute & JsonObject)[]); // what `attributes` has put there
  }

  /** They have changed: the next read asks Attio. */
  expireAttributes(object: string): void {
    this.#cache.expire(`attributes:${object}`);
  }

  forgetObjects(): void {
    this.#cache.invalidate(OBJECTS);
  }

  async #definitions<T>(
    key: string,
    load: () => Promise<readonly T[]>,
  ): Promise<readonly (T & JsonObject)[]> {
    const { value } = await this.#cache.read(
      key,
      // What Attio answers is JSON, which the loose schemas of `types.ts` cannot say.
      async () => ({ items: (await load()) as readonly JsonObject[] }),
      (error) => isAttioError(error),
    );
    // What `load` has put there under this key.
    return (value?.items ?? []) as readonly (T & JsonObject)[];
  }
}
