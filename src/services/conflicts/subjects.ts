import type { Conflict } from '../../domain/conflicts.ts';
import type { EntityKind } from '../../domain/entities.ts';
import { ITEM_KINDS, ITEM_NOUNS, type ItemKind } from '../../domain/items.ts';
import type { Json } from '../../domain/json.ts';
import type { WriteKind } from '../../domain/outbox.ts';
import type { Painter, Subjects } from '../conflicts.ts';
import { type MemberFault, ServiceError } from '../errors.ts';
import type { EntryValues } from '../items/entry-values.ts';
import type { ListsService } from '../lists.ts';
import type { MembersService } from '../members.ts';
import type { Choosing } from '../outbox/choosing.ts';
import type { Draft } from '../outbox/draft.ts';
import { isNameHalf } from '../outbox/fields.ts';
import { faultsOf } from '../outbox/intents.ts';
import type { OutboxWriter } from '../outbox/writer.ts';
import type { ItemStore, Stores } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import { entityKindOf, type Mapping } from '../sync/mapping.ts';
import { reproject } from '../sync/project.ts';
import { checkTaskMember } from './task-members.ts';

export interface SubjectsDeps {
  readonly mapping: Mapping;
  readonly schema: Pick<SchemaService, 'plainValues'>;
  readonly writer: Pick<OutboxWriter, 'attributesOf'>;
  readonly choosing: Pick<Choosing, 'choose'>;
  readonly items: Pick<ItemStore, 'find'>;
  readonly lists: Pick<ListsService, 'byId' | 'attributesOf'>;
  readonly values: Pick<EntryValues, 'read'>;
  readonly members: Pick<MembersService, 'idOf'>;
  /** Draws an item anew. */
  readonly showItem: (stores: Stores, item: { kind: ItemKind; entityId: string }) => Promise<void>;
}

/** Conflicts of things with a record, and of what hangs on records. */
export class ConflictSubjects implements Subjects {
  readonly #deps: SubjectsDeps;

  constructor(deps: SubjectsDeps) {
    this.#deps = deps;
  }

  writeOf(object: string): { kind: WriteKind; operation: 'upsert' | 'update' } {
    const kind = entityKindOf(object);
    return kind === null ? { kind: itemKindOf(object), operation: 'update' } : { kind, operation: 'upsert' };
  }

  async check(conflict: Conflict, value: Json): Promise<Json> {
    const { object, field } = conflict;
    const kind = entityKindOf(object);
    if (kind !== null) return this.#checkThing(kind, field, value);
    return itemKindOf(object) === 'entries'
      ? this.#checkEntry(conflict, value)
      : checkTaskMember(field, value, this.#deps.members);
  }

  async painter(object: string): Promise<Painter> {
    const { mapping, schema, showItem } = this.#deps;
    const kind = entityKindOf(object);
    if (kind === null) {
      const item = itemKindOf(object);
      return (stores, entityId) => showItem(stores, { kind: item, entityId });
    }
    const plainOf = await schema.plainValues(kind);
    return (stores, entityId, at) => reproject(stores, mapping, kind, entityId, plainOf, at);
  }

  async #checkThing(kind: EntityKind, field: string, value: Json): Promise<Json> {
    const { writer, choosing, mapping } = this.#deps;
    if (isNameHalf(field) && value !== null && typeof value !== 'string') {
      throw unsuitable(field, [{ path: '', message: 'must be a text, or null to clear it' }]);
    }
    const attributes = await writer.attributesOf(kind);
    // Then Attio says what it thinks of it.
    if (attributes === null) return value;
    const draft: Draft = {
      kind,
      entityId: null,
      key: null,
      keySlug: mapping.keySlugs[kind],
      intent: { [field]: value },
      externalId: undefined,
      references: [],
      faults: [],
    };
    const given = new Set([field]);
    const faults = faultsOf(mapping, draft, attributes, given);
    if (faults.length > 0) throw unsuitable(field, faults);
    const chosen = await choosing.choose(draft, attributes, given);
    if (chosen.faults.length > 0) throw unsuitable(field, chosen.faults);
    return chosen.draft.intent[field] ?? null;
  }

  async #checkEntry({ entityId, field }: Conflict, value: Json): Promise<Json> {
    const { items, lists, values } = this.#deps;
    const listId = (await items.find('entries', entityId))?.listId ?? '';
    const list = await lists.byId(listId);
    if (list === null) throw new ServiceError('refused', 'the list of this entry is gone');
    try {
      const read = await values.read(list, await lists.attributesOf(listId), {
        attributes: { [field]: value },
      });
      return read[field] ?? null;
    } catch (error) {
      if (!(error instanceof ServiceError) || error.kind === 'unavailable') throw error;
      throw unsuitable(
        field,
        error.errors.length > 0 ? error.errors : [{ path: '', message: error.message }],
      );
    }
  }
}

function itemKindOf(noun: string): ItemKind {
  const kind = ITEM_KINDS.find((known) => ITEM_NOUNS[known] === noun);
  if (kind === undefined)
    throw new ServiceError('refused', `nothing can be decided of ${noun} by this version`);
  return kind;
}

/** The value is at `/values/{field}`, wherever it would be in another request. */
function unsuitable(field: string, faults: readonly MemberFault[]): ServiceError {
  const path = `/values/${field}`;
  const errors = faults.map(({ message }) => ({ path, message }));
  return new ServiceError('refused', errors.map(({ message }) => `${path} ${message}`).join('; '), {
    errors,
  });
}
