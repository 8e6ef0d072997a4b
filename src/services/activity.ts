import type { Item, ItemLink } from '../domain/items.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import type { WriteIntent } from '../domain/outbox.ts';
import { isOutage, refusedMember, ServiceError } from './errors.ts';
import type { Synced, Written } from './inputs.ts';
import type {
  CommentInput,
  CommentView,
  ItemWriteOptions,
  NoteInput,
  NoteView,
  ParentInput,
  TaskChanges,
  TaskInput,
  TaskView,
} from './items/inputs.ts';
import type { ItemCreation } from './items/intake.ts';
import { Items, type ItemsDeps, type PageQuery, shaped, shapedPage } from './items/items.ts';
import type { ParentFinder } from './items/parents.ts';
import { toCommentView, toNoteView, toTaskView } from './items/views.ts';
import type { ItemProgress, ItemWriter } from './items/writer.ts';
import type { ListInfo, ListsService } from './lists.ts';
import type { MembersService } from './members.ts';
import type { ItemFilter, Page, RecordRef } from './ports.ts';

/** Attio's limit of a task's content, in characters. */
const MAX_TASK_CONTENT = 2_000;

export interface ActivityDeps extends ItemsDeps {
  readonly lists: Pick<ListsService, 'pipeline' | 'knownSlugs'>;
  readonly members: Pick<MembersService, 'idOf' | 'emailsById'>;
  readonly parents: ParentFinder;
  /** The record that an id names, of Attio's or ours, as it is stored; for filters. */
  readonly recordRef: (id: string) => Promise<RecordRef>;
  readonly writer: ItemWriter;
  /** Objects whose records may be asked about by id alone. */
  readonly objects: readonly string[];
  /** Has Attio's comments on a record or an entry read. */
  readonly comments: {
    refresh(
      place:
        | { readonly object: string; readonly recordId: string }
        | { readonly listId: string; readonly entryId: string },
    ): Promise<void>;
  };
}

export type RecordQuery = PageQuery & { readonly recordId?: string };
type Place = Pick<ItemCreation, 'links' | 'listId' | 'entryId' | 'threadId' | 'onEntry'>;

/** Notes, tasks and comments: read from the local database, written there first and then to Attio. */
export class ActivityService {
  readonly #deps: ActivityDeps;
  readonly #notes: Items;
  readonly #tasks: Items;
  readonly #comments: Items;

  constructor(deps: ActivityDeps) {
    this.#deps = deps;
    this.#notes = new Items('notes', deps);
    this.#tasks = new Items('tasks', deps);
    this.#comments = new Items('comments', deps);
  }

  /** @throws ServiceError `refused`, `unavailable` */
  async addNote(input: NoteInput, options: ItemWriteOptions): Promise<Written<NoteView>> {
    const link = await this.#parent(input.parent, '', ['people']);
    const { title, content, format = 'markdown' } = input;
    const intent = { title, content, noteFormat: format };
    const write = await this.#create('notes', intent, { ...NOWHERE, links: [link] }, options);
    return shaped(await this.#notes.written(write), toNoteView);
  }

  /** @throws ServiceError `not_found`, `gone` */
  async note(id: string): Promise<Written<NoteView>> {
    return shaped(await this.#notes.get(id), toNoteView);
  }

  async notes(query: RecordQuery): Promise<Page<Synced<NoteView>, string>> {
    return shapedPage(await this.#notes.page(await this.#about(query), query), toNoteView);
  }

  /** @throws ServiceError `refused`, `unavailable` */
  async addTask(input: TaskInput, options: ItemWriteOptions): Promise<Written<TaskView>> {
    const { content, deadlineAt = null, linkedRecords = [], assigneeEmails = [] } = input;
    if ([...content].length > MAX_TASK_CONTENT) {
      throw refusedMember(
        '/content',
        `is longer than the ${MAX_TASK_CONTENT} characters that Attio takes for a task`,
      );
    }
    const links: ItemLink[] = [];
    for (const [index, parent] of linkedRecords.entries()) {
      const link = await this.#parent(parent, `/linkedRecords/${index}`, this.#deps.objects);
      if (!links.some((other) => sameRecord(other, link))) links.push(link);
    }
    const assignees = await this.#assignees(assigneeEmails);
    const intent = { content, deadlineAt, isCompleted: false, assignees };
    const write = await this.#create('tasks', intent, { ...NOWHERE, links }, options);
    return this.#taskOf(await this.#tasks.written(write));
  }

  /** @param id ours or Attio's @throws ServiceError `not_found`, `gone`, `refused`, `unavailable` */
  async updateTask(id: string, changes: TaskChanges, options: ItemWriteOptions): Promise<Written<TaskView>> {
    const { assigneeEmails, ...rest } = changes;
    const intent: WriteIntent = {
      ...rest,
      ...(assigneeEmails === undefined ? {} : { assignees: await this.#assignees(assigneeEmails) }),
    };
    const change = { kind: 'tasks', id, listId: null, intent, attributes: null } as const;
    const write = await this.#deps.writer.write({ change }, options);
    return this.#taskOf(await this.#tasks.written(write));
  }

  /** @throws ServiceError `not_found`, `gone` */
  async task(id: string): Promise<Written<TaskView>> {
    return this.#taskOf(await this.#tasks.get(id));
  }

  async tasks(
    query: RecordQuery & { readonly isCompleted?: boolean },
  ): Promise<Page<Synced<TaskView>, string>> {
    const { isCompleted } = query;
    const filter = { ...(await this.#about(query)), ...(isCompleted === undefined ? {} : { isCompleted }) };
    const emails = await this.#deps.members.emailsById();
    return shapedPage(await this.#tasks.page(filter, query), (item) => toTaskView(item, emails));
  }

  /** @throws ServiceError `refused`, `not_found`, `gone`, `unavailable` */
  async addComment(input: CommentInput, options: ItemWriteOptions): Promise<Written<CommentView>> {
    const author = await this.#member(input.authorEmail, '/authorEmail');
    const place = await this.#commentPlace(input.place);
    const intent: WriteIntent = {
      content: input.content,
      author,
      ...(place.onEntry === null ? {} : { onEntry: place.onEntry }),
    };
    const write = await this.#create('comments', intent, place, options);
    return this.#commentOf(await this.#comments.written(write));
  }

  /** @throws ServiceError `not_found`, `gone` */
  async comment(id: string): Promise<Written<CommentView>> {
    return this.#commentOf(await this.#comments.get(id));
  }

  /** Those of a record, an entry, or all. Attio's are read in the background; the first time that a place is asked about, before. */
  async comments(
    query: RecordQuery & { readonly entryId?: string },
  ): Promise<Page<Synced<CommentView>, string>> {
    const filter = await this.#commentFilter(query);
    const page = await this.#comments.page(filter, query);
    const emails = await this.#deps.members.emailsById();
    const slugs = await this.#deps.lists.knownSlugs();
    return shapedPage(page, (item) => toCommentView(item, emails, slugs));
  }

  async #commentFilter(query: RecordQuery & { readonly entryId?: string }): Promise<ItemFilter> {
    const { comments, items, parents } = this.#deps;
    if (query.entryId !== undefined) {
      const entry = await items.find('entries', query.entryId);
      const { attioId = null, listId = null } = entry ?? {};
      if (attioId !== null && listId !== null) await comments.refresh({ listId, entryId: attioId });
      // One that was accepted before its entry was made bears our id of it.
      return { entryIds: [...new Set([attioId ?? query.entryId, entry?.id ?? query.entryId])] };
    }
    if (query.recordId === undefined) return {};
    const filter = await this.#about(query);
    const link = await parents.known(query.recordId);
    if (link?.recordId != null) await comments.refresh({ object: link.object, recordId: link.recordId });
    return filter;
  }

  async #create(
    kind: 'notes' | 'tasks' | 'comments',
    intent: WriteIntent,
    place: Place,
    options: ItemWriteOptions,
  ): Promise<ItemProgress> {
    const { requestKey } = options;
    const create = { kind, intent, ...place, attributes: null, onePerParent: false, requestKey };
    return this.#deps.writer.write({ create }, options);
  }

  async #parent(parent: ParentInput, at: string, guess: readonly string[]): Promise<ItemLink> {
    return this.#deps.parents.find(parent, { at, objects: null, guess });
  }

  async #commentPlace(place: CommentInput['place']): Promise<Place> {
    if ('threadId' in place) {
      const [first] = await this.#deps.items.list('comments', { threadId: place.threadId }, '', 1);
      const { listId = null, entryId = null, links = [] } = first ?? {};
      return { links, listId, entryId, threadId: place.threadId, onEntry: null };
    }
    if ('recordId' in place) {
      const guess = place.object === undefined ? this.#deps.objects : [place.object];
      return { ...NOWHERE, links: [await this.#parent(place, '', guess)] };
    }
    const list = await this.#list(place.list);
    const entry = await this.#deps.items.find('entries', place.entryId);
    if (entry === undefined || entry.listId !== list.id) {
      throw refusedMember('/entryId', `is the id of no entry of the list ${list.slug}`);
    }
    if (entry.deletedAt !== null) throw refusedMember('/entryId', 'is the id of an entry that was deleted');
    return {
      links: entry.links,
      listId: list.id,
      entryId: entry.attioId ?? entry.id,
      threadId: null,
      onEntry: entry.id,
    };
  }

  async #list(slug: string): Promise<ListInfo> {
    try {
      return await this.#deps.lists.pipeline(slug, 'current');
    } catch (error) {
      const isNone = error instanceof ServiceError && error.kind === 'not_found';
      throw isNone ? refusedMember('/list', `is no list to comment in: ${error.message}`) : error;
    }
  }

  async #assignees(emails: readonly string[]): Promise<Json[]> {
    const members: JsonObject[] = [];
    for (const [index, email] of emails.entries()) {
      members.push(await this.#member(email, `/assigneeEmails/${index}`));
    }
    return members;
  }

  /** By id; by address while Attio cannot be asked: then it says itself who is nobody's. */
  async #member(email: string, path: string): Promise<JsonObject> {
    try {
      return { type: 'workspace-member', id: await this.#deps.members.idOf(email, path) };
    } catch (error) {
      if (isOutage(error)) return { type: 'workspace-member', email };
      throw error;
    }
  }

  async #about({ recordId }: RecordQuery): Promise<ItemFilter> {
    return recordId === undefined ? {} : { record: await this.#deps.recordRef(recordId) };
  }

  async #taskOf(one: { item: Item; sync: Written<TaskView>['sync'] }): Promise<Written<TaskView>> {
    const emails = await this.#deps.members.emailsById();
    return shaped(one, (item) => toTaskView(item, emails));
  }

  async #commentOf(one: { item: Item; sync: Written<CommentView>['sync'] }): Promise<Written<CommentView>> {
    const emails = await this.#deps.members.emailsById();
    const slugs = await this.#deps.lists.knownSlugs();
    return shaped(one, (item) => toCommentView(item, emails, slugs));
  }
}

const NOWHERE = { listId: null, entryId: null, threadId: null, onEntry: null };

function sameRecord(a: ItemLink, b: ItemLink): boolean {
  if (a.object !== b.object) return false;
  return a.recordId === null ? a.entityId === b.entityId : a.recordId === b.recordId;
}
