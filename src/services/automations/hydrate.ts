import type { Attribute } from '../../attio/types.ts';
import { readValues } from '../../attio/values/read.ts';
import type { Item, ItemKind } from '../../domain/items.ts';
import { isJsonObject } from '../../domain/json.ts';
import type { RecordValues } from '../../domain/records.ts';
import type { WebhookEvent } from '../../domain/webhook-events.ts';
import { type Attributes, pipelineSlugs } from '../items/shape.ts';
import { toCommentView, toEntryView, toNoteView, toTaskView } from '../items/views.ts';
import type { ListInfo, ListsService } from '../lists.ts';
import type { MembersService } from '../members.ts';
import type { EntityStore, ItemStore, RecordStore } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import { entityKindOf } from '../sync/mapping.ts';
import type { EntryThing, RecordThing } from './automation.ts';
import type { Hydrated, ThingReader } from './ports.ts';

export interface ThingHydratorDeps {
  readonly records: Pick<RecordStore, 'load'>;
  readonly entities: Pick<EntityStore, 'byRecordIds'>;
  readonly items: Pick<ItemStore, 'byAttioIds'>;
  readonly schema: Pick<SchemaService, 'slugOf' | 'attributesOf' | 'plainValues'>;
  readonly lists: Pick<ListsService, 'byId' | 'attributesOf'>;
  readonly members: Pick<MembersService, 'emailsById'>;
}

const NOTHING: Hydrated = { thing: null, changed: null };

/** What a webhook event is about, from the local database. Attio is asked for names of attributes alone, if for anything. */
export class ThingHydrator implements ThingReader {
  readonly #deps: ThingHydratorDeps;

  constructor(deps: ThingHydratorDeps) {
    this.#deps = deps;
  }

  async read(event: WebhookEvent): Promise<Hydrated> {
    const { ids } = event;
    if (ids['record_id'] !== undefined) return this.#record(event, ids['record_id']);
    if (ids['entry_id'] !== undefined) return this.#entry(event, ids['entry_id']);
    if (ids['note_id'] !== undefined) return this.#note(ids['note_id']);
    if (ids['task_id'] !== undefined) return this.#task(ids['task_id']);
    if (ids['comment_id'] !== undefined) return this.#comment(ids['comment_id']);
    return NOTHING;
  }

  async #record(event: WebhookEvent, recordId: string): Promise<Hydrated> {
    const { schema, records, entities } = this.#deps;
    const object = await schema.slugOf(event.ids['object_id'] ?? '');
    if (object === null) return NOTHING;
    const changed = changedIn(event, await schema.attributesOf(object));
    const record = (await records.load(object, [recordId])).get(recordId);
    if (record === undefined || record.hidden) return { thing: null, changed };
    const kind = entityKindOf(object);
    const entity = kind === null ? undefined : (await entities.byRecordIds(kind, [recordId])).get(recordId);
    const { webUrl, createdAt, deletedAt, mergedInto } = record;
    const values = (await schema.plainValues(object))(record.values);
    const id = entity?.id ?? null;
    const thing: RecordThing = {
      kind: 'record',
      object,
      recordId,
      id,
      values,
      webUrl,
      createdAt,
      deletedAt,
      mergedInto,
    };
    return { thing, changed };
  }

  async #entry(event: WebhookEvent, entryId: string): Promise<Hydrated> {
    const { lists } = this.#deps;
    const list = await lists.byId(event.ids['list_id'] ?? '');
    if (list === null) return NOTHING;
    const attributes = await lists.attributesOf(list.id);
    const changed = changedIn(event, attributes);
    const item = await this.#item('entries', entryId);
    return { thing: item && toEntryThing(item, list, attributes), changed };
  }

  async #note(noteId: string): Promise<Hydrated> {
    const item = await this.#item('notes', noteId);
    return { thing: item && { kind: 'note', ...toNoteView(item) }, changed: null };
  }

  async #task(taskId: string): Promise<Hydrated> {
    const item = await this.#item('tasks', taskId);
    if (item === null) return NOTHING;
    const emails = await this.#deps.members.emailsById();
    return { thing: { kind: 'task', ...toTaskView(item, emails) }, changed: null };
  }

  async #comment(commentId: string): Promise<Hydrated> {
    const { lists, members } = this.#deps;
    const item = await this.#item('comments', commentId);
    if (item === null) return NOTHING;
    const list = item.listId === null ? null : await lists.byId(item.listId);
    const slugs = new Map(list === null ? [] : [[list.id, list.slug]]);
    const view = toCommentView(item, await members.emailsById(), slugs);
    return { thing: { kind: 'comment', ...view }, changed: null };
  }

  async #item(kind: ItemKind, attioId: string): Promise<Item | null> {
    return (await this.#deps.items.byAttioIds(kind, [attioId])).get(attioId) ?? null;
  }
}

function changedIn(event: WebhookEvent, attributes: Attributes): string | null {
  const id = event.ids['attribute_id'];
  if (id === undefined) return null;
  const named = [...attributes.values()].find((one) => one.id.attribute_id.toLowerCase() === id);
  return named?.api_slug ?? null;
}

function toEntryThing(item: Item, list: ListInfo, attributes: Attributes): EntryThing {
  const view = toEntryView(item, list);
  const stageSlug = pipelineSlugs(attributes).stage;
  const stage = stageSlug === null ? undefined : attributes.get(stageSlug);
  const stageSince = stage === undefined ? null : sinceWhen(item, stage, view.stage?.id ?? null);
  return { kind: 'entry', ...view, stageSlug, stageSince };
}

/** Null while a move that Attio has not confirmed is laid over what it has. */
function sinceWhen(item: Item, attribute: Attribute, stageId: string | null): string | null {
  const values = (item.body as RecordValues)[attribute.api_slug] ?? []; // the body of an entry is its values
  const held = readValues(attribute, values);
  const since = values[0]?.['active_from'];
  const isHeld = isJsonObject(held) && stageId !== null && held['id'] === stageId;
  return isHeld && typeof since === 'string' ? since : null;
}
