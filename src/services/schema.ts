import type { CachedSchema, Wanted } from '../attio/cached-schema.ts';
import type { Attribute } from '../attio/types.ts';
import { readUnlisted, readValues } from '../attio/values/read.ts';
import type { Clock } from '../domain/clock.ts';
import type { PlainAttributes } from '../domain/entities.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import type { RecordValues } from '../domain/records.ts';
import { askAttio } from './attio-errors.ts';
import { ServiceError } from './errors.ts';
import { Pace } from './pace.ts';

/** An object id that the workspace did not know is asked for again at most this often. */
const ASK_AGAIN_MS = 30_000;

/** Attributes that lack one that is needed are read anew at most this often. */
const RENEW_MS = 5_000;

/** Unknown object ids remembered; deliveries are signed, so there are few. */
const MAX_UNKNOWN = 1_000;

/** The workspace's objects and attributes, as names for ids and as the shape of plain values. */
export class SchemaService {
  readonly #schema: CachedSchema;
  readonly #clock: Clock;
  readonly #unknownSince = new Map<string, number>();
  /** Of the few objects whose attributes are asked for by name. */
  readonly #renewal: Pace;
  /** Looks under way, shared by all who ask for the same object. */
  readonly #asking = new Map<string, Promise<string | null>>();

  constructor(deps: { schema: CachedSchema; clock: Clock }) {
    this.#schema = deps.schema;
    this.#clock = deps.clock;
    this.#renewal = new Pace(deps.clock, RENEW_MS);
  }

  /** As far as they are known; Attio is waited for only when none are. @throws ServiceError `unavailable` */
  async objects(): Promise<readonly JsonObject[]> {
    return this.#objects('known');
  }

  /** The same of an object's attributes. @throws ServiceError `not_found` for an object that the workspace lacks; `unavailable` */
  async attributes(object: string): Promise<readonly JsonObject[]> {
    await this.assertObject(object);
    return this.#attributes(object, 'known');
  }

  /** @throws ServiceError `not_found`; `unavailable` */
  async assertObject(object: string): Promise<void> {
    if ((await this.#objects('known')).some((known) => known.api_slug === object)) return;
    // It may be newer than what is known.
    const slugs = (await this.#objects('current')).flatMap(({ api_slug: slug }) => slug ?? []);
    if (slugs.includes(object)) return;
    throw new ServiceError(
      'not_found',
      `the workspace has no object "${object}". It has ${slugs.join(', ') || 'none'}.`,
    );
  }

  /** Whether it is in memory, and in time, that the workspace has this object. */
  holdsObject(object: string): boolean {
    return this.#schema.heldObjects()?.some((known) => known.api_slug === object) ?? false;
  }

  #objects(wanted: Wanted) {
    return askAttio(() => this.#schema.objects(wanted), { wanted: "The workspace's objects" });
  }

  #attributes(object: string, wanted: Wanted) {
    return askAttio(() => this.#schema.attributes(object, wanted), { wanted: `The attributes of ${object}` });
  }

  /** The slug of an object, as webhooks name it by id; null when the workspace has none such. */
  async slugOf(objectId: string): Promise<string | null> {
    const known = await this.#find(objectId);
    if (known !== undefined) return known;
    // It may be newer than what we hold.
    const now = this.#clock.now();
    if (now - (this.#unknownSince.get(objectId) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return null;
    const asking = this.#asking.get(objectId) ?? this.#askAgain(objectId, now);
    this.#asking.set(objectId, asking);
    return asking.finally(() => this.#asking.delete(objectId));
  }

  async #askAgain(objectId: string, now: number): Promise<string | null> {
    this.#schema.forgetObjects();
    const slug = (await this.#find(objectId)) ?? null;
    if (this.#unknownSince.size >= MAX_UNKNOWN) this.#unknownSince.clear();
    if (slug === null) this.#unknownSince.set(objectId, now);
    return slug;
  }

  /** A function that shows an object's values in plain form: scalars for single attributes, lists for multiple ones. */
  async plainValues(object: string): Promise<(values: RecordValues) => PlainAttributes> {
    const attributes = await this.attributesOf(object);
    return (values) => {
      // A copy, of which each member is replaced: made member by member, so large an object is kept as a table of hashes,
      // and takes three times as long to make and five times as long to write as JSON.
      const shown: Record<string, Json> = { ...values };
      for (const slug in values) shown[slug] = plain(attributes.get(slug), values[slug] ?? []);
      return shown;
    };
  }

  /** An object's attributes by slug. @throws ServiceError `unavailable` */
  async attributesOf(object: string, wanted: Wanted = 'current'): Promise<ReadonlyMap<string, Attribute>> {
    return bySlug(await this.#attributes(object, wanted));
  }

  /** The same, read anew: what is missing may be new. Asks Attio at most every few seconds. @throws ServiceError `unavailable` */
  async attributesAnew(object: string): Promise<ReadonlyMap<string, Attribute>> {
    if (this.#renewal.isDue(object)) this.#schema.expireAttributes(object);
    return this.attributesOf(object);
  }

  /** The same from memory, whatever its age; null when there is nothing in memory. Never asks Attio. */
  knownAttributes(object: string): ReadonlyMap<string, Attribute> | null {
    const known = this.#schema.knownAttributes(object);
    return known && bySlug(known);
  }

  /** Reads attributes again, in the background, when those in memory are past their time. */
  refreshIfOld(object: string): void {
    // One in time is not read again: the cache answers.
    this.#schema.attributes(object).catch(() => {});
  }

  /** An attribute of an object, as webhooks name it, was made or changed. */
  async attributeChanged(objectId: string): Promise<void> {
    const slug = await this.slugOf(objectId);
    if (slug === null) return;
    // Warm again: checking what callers send costs no call then.
    await askAttio(() => this.#schema.attributesAnew({ target: 'objects', identifier: slug }));
  }

  async #find(objectId: string): Promise<string | null | undefined> {
    const objects = await this.#objects('current');
    return objects.find((object) => object.id.object_id === objectId)?.api_slug;
  }
}

/** An attribute may be newer than the schema we hold: its values say their own type, but not whether there may be more. */
function plain(attribute: Attribute | undefined, values: RecordValues[string]): Json {
  return attribute === undefined ? readUnlisted(values) : readValues(attribute, values);
}

export function bySlug(attributes: readonly Attribute[]): ReadonlyMap<string, Attribute> {
  return new Map(attributes.map((attribute) => [attribute.api_slug, attribute]));
}
