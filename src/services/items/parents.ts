import { isAttioError } from '../../attio/errors.ts';
import type { RecordsResource } from '../../attio/resources/records.ts';
import { ENTITY_KINDS, type EntityKind } from '../../domain/entities.ts';
import type { ItemLink } from '../../domain/items.ts';
import { askAttio } from '../attio-errors.ts';
import { isOutage, ServiceError } from '../errors.ts';
import { survivorOfThing } from '../living.ts';
import type { LookService } from '../outbox/look.ts';
import type { EntityStore, RecordRef, RecordStore } from '../ports.ts';
import type { ParentInput } from './inputs.ts';

/** Where in the request a parent was given, for what is said of it. */
export interface ParentPlace {
  /** JSON pointer of the object that holds `recordId` or `email`; empty: the body itself. */
  readonly at: string;
  /** Slugs of the objects that it may be of; null: any. */
  readonly objects: readonly string[] | null;
  /** Where it may be, when its object is neither given nor known. */
  readonly guess: readonly string[];
}

/**
 * Finds the record that something is written about: in the local database, else in Attio.
 *
 * One that was merged away is the survivor. What is not known here is looked for in Attio, since the mirror may not have
 * been filled yet; while Attio cannot be asked, the id of a record of a named object is taken as it is given. Nobody is
 * made.
 */
export class ParentFinder {
  readonly #entities: Pick<EntityStore, 'find' | 'findByKey'>;
  readonly #mirror: Pick<RecordStore, 'whereabouts' | 'states'>;
  readonly #objects: readonly string[];
  readonly #look: Pick<LookService, 'byKey'>;
  readonly #records: Pick<RecordsResource, 'get'>;

  /** @param deps.objects those that are mirrored */
  constructor(deps: {
    entities: Pick<EntityStore, 'find' | 'findByKey'>;
    mirror: Pick<RecordStore, 'whereabouts' | 'states'>;
    objects: readonly string[];
    look: Pick<LookService, 'byKey'>;
    records: Pick<RecordsResource, 'get'>;
  }) {
    this.#entities = deps.entities;
    this.#mirror = deps.mirror;
    this.#objects = deps.objects;
    this.#look = deps.look;
    this.#records = deps.records;
  }

  /** @throws ServiceError `refused` when there is none, or it is of the wrong object; `unavailable` when Attio must be asked, and cannot be */
  async find(parent: ParentInput, place: ParentPlace): Promise<ItemLink> {
    const link =
      'email' in parent ? await this.#byEmail(parent.email, place) : await this.#byId(parent, place);
    const { objects } = place;
    if (objects === null || objects.includes(link.object)) return link;
    throw refused(
      'email' in parent ? `${place.at}/email` : `${place.at}/recordId`,
      `is of a record of ${link.object}; this list takes ${objects.join(' and ')}`,
    );
  }

  /** The record with an id, as far as it is known here. Never asks Attio. */
  async known(recordId: string): Promise<ItemLink | null> {
    try {
      return (await this.#thing(recordId, '')) ?? (await this.#mirrored(recordId, ''));
    } catch (error) {
      // Deleted.
      if (error instanceof ServiceError) return null;
      throw error;
    }
  }

  async #byEmail(email: string, { at }: ParentPlace): Promise<ItemLink> {
    const known = (await this.#contact(email)) ?? (await this.#lookFor(email, at));
    if (known !== null) return known;
    throw refused(
      `${at}/email`,
      'is the address of nobody in Attio: write the person first, with PUT /v1/contacts',
    );
  }

  async #contact(email: string): Promise<ItemLink | null> {
    const rows = await this.#entities.findByKey('people', email);
    const entity = rows.find((row) => row.deletedAt === null);
    return entity === undefined ? null : { object: 'people', recordId: entity.recordId, entityId: entity.id };
  }

  async #lookFor(email: string, at: string): Promise<ItemLink | null> {
    const { snapshot } = await this.#look.byKey('people', email);
    if (snapshot === null) return null;
    const contact = await this.#contact(email);
    if (contact !== null) return contact;
    const { recordId } = snapshot;
    // What is about somebody who was removed here is not taken in, so nothing could be shown of it.
    if ((await this.#mirror.states('people', [recordId])).get(recordId)?.hidden === true) {
      throw refused(
        `${at}/email`,
        'is the address of a contact that was removed here: write the person first, with PUT /v1/contacts',
      );
    }
    return { object: 'people', recordId, entityId: null };
  }

  async #byId(
    { recordId, object }: Extract<ParentInput, { recordId: string }>,
    place: ParentPlace,
  ): Promise<ItemLink> {
    const path = `${place.at}/recordId`;
    const link = (await this.#thing(recordId, path)) ?? (await this.#mirrored(recordId, path));
    if (link !== null) {
      if (object === undefined || object === link.object) return link;
      throw refused(`${place.at}/object`, `is not the object of this record, which is one of ${link.object}`);
    }
    const objects = object === undefined ? place.guess : [object];
    for (const each of objects) {
      const isThere = await this.#isInAttio(each, recordId).catch((error: unknown) => {
        // Attio says itself that there is none, once it can be asked.
        if (objects.length === 1 && isOutage(error)) return true;
        throw error;
      });
      if (isThere) return { object: each, recordId, entityId: null };
    }
    throw refused(path, `is the id of no record of ${objects.join(', ')}`);
  }

  async #thing(id: string, path: string): Promise<ItemLink | null> {
    for (const kind of ENTITY_KINDS) {
      const entity = await survivorOfThing(this.#entities, kind, id);
      if (entity === undefined) continue;
      if (entity.deletedAt !== null) throw deleted(path, kind);
      return { object: kind, recordId: entity.recordId, entityId: entity.id };
    }
    return null;
  }

  async #mirrored(recordId: string, path: string): Promise<ItemLink | null> {
    const found = await this.#mirror.whereabouts(this.#objects, recordId);
    if (found === null) return null;
    if (found.mergedInto !== null)
      return { object: found.object, recordId: found.mergedInto, entityId: null };
    if (found.deletedAt !== null) throw deleted(path, found.object);
    return { object: found.object, recordId, entityId: null };
  }

  async #isInAttio(object: string, recordId: string): Promise<boolean> {
    try {
      await this.#records.get(object, recordId);
      return true;
    } catch (error) {
      if (isAttioError(error, 'not_found', 'validation', 'value_not_found')) return false;
      return askAttio<boolean>(() => Promise.reject(error));
    }
  }
}

/** The record that an id names, of Attio's or ours; one that was merged away is the survivor. */
export async function recordRefOf(entities: Pick<EntityStore, 'find'>, id: string): Promise<RecordRef> {
  for (const kind of ENTITY_KINDS) {
    const entity = await survivorOfThing(entities, kind, id);
    if (entity !== undefined) return { recordId: entity.recordId, entityId: entity.id };
  }
  return { recordId: id, entityId: null };
}

/** The record that a link points at now. @returns null while it has none */
export async function recordOf(
  entities: Pick<EntityStore, 'find'>,
  link: ItemLink,
): Promise<{ readonly object: string; readonly recordId: string | null }> {
  if (link.entityId === null) return link;
  const entity = await survivorOfThing(entities, link.object as EntityKind, link.entityId); // those alone have one
  return { object: link.object, recordId: entity?.recordId ?? link.recordId };
}

function deleted(path: string, object: string): ServiceError {
  return refused(path, `is of a record of ${object} that was deleted`);
}

export function refused(path: string, message: string): ServiceError {
  return new ServiceError('refused', `${path} ${message}`, { errors: [{ path, message }] });
}
