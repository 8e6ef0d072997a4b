import type { Attribute } from '../../attio/types.ts';
import type { ItemLink } from '../../domain/items.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { ChoicesService } from '../choices.ts';
import { invalidMembers, isOutage, ServiceError } from '../errors.ts';
import type { Synced, Written } from '../inputs.ts';
import type { EntryValues } from '../items/entry-values.ts';
import type { EntryChanges, EntryInput, EntryView, ItemWriteOptions } from '../items/inputs.ts';
import { Items, type ItemsDeps, type PageQuery, shaped, shapedPage } from '../items/items.ts';
import type { ParentFinder } from '../items/parents.ts';
import { type Attributes, pipelineSlugs } from '../items/shape.ts';
import { toEntryView } from '../items/views.ts';
import type { ItemProgress, ItemWriter } from '../items/writer.ts';
import type { ListInfo, ListsService } from '../lists.ts';
import type { Page } from '../ports.ts';
import { isOutOf, type Pipeline, type PipelineOverview, stageOverviews } from './pipeline.ts';

export interface ListPipelineDeps extends ItemsDeps {
  readonly lists: ListsService;
  readonly choices: ChoicesService;
  readonly values: EntryValues;
  readonly parents: ParentFinder;
  readonly writer: ItemWriter;
}

/** Lists as pipelines: entries that move from stage to stage. */
export class ListPipeline implements Pipeline {
  readonly #deps: ListPipelineDeps;
  readonly #entries: Items;

  constructor(deps: ListPipelineDeps) {
    this.#deps = deps;
    this.#entries = new Items('entries', deps);
  }

  /** Whether a list bears this slug. @throws ServiceError `unavailable` */
  async has(slug: string): Promise<boolean> {
    return this.#deps.lists.has(slug);
  }

  /**
   * Puts a record into a list, or changes the entry that it has there already.
   * @throws ServiceError `not_found` for the list; `invalid`; `refused`; `unavailable`
   */
  async addEntry(slug: string, input: EntryInput, options: ItemWriteOptions): Promise<Written<EntryView>> {
    const { lists, values, parents, writer } = this.#deps;
    const list = await lists.pipeline(slug, 'current');
    const attributes = await lists.attributesOf(list.id);
    const intent = await values.read(list, attributes, input);
    const link = await parents.find(input.parent, {
      at: '',
      objects: list.parentObjects,
      guess: list.parentObjects,
    });
    const duplicate = input.allowDuplicate === true;
    const stage = stageIn(attributes);
    if (stage !== undefined && intent[stage.api_slug] === undefined) {
      if (duplicate || !(await this.#isIn(list, link))) throw await this.#lacksStage(list, stage);
    }
    const write = await writer.write(
      {
        create: {
          kind: 'entries',
          listId: list.id,
          entryId: null,
          threadId: null,
          links: [link],
          intent: duplicate ? { ...intent, allowDuplicate: true } : intent,
          attributes,
          onePerParent: !duplicate,
          onEntry: null,
          requestKey: options.requestKey,
        },
      },
      options,
    );
    return this.#written(list, write);
  }

  /** @param id ours or Attio's @throws ServiceError `not_found`, `gone`, `invalid`, `refused`, `unavailable` */
  async updateEntry(
    slug: string,
    id: string,
    changes: EntryChanges,
    options: ItemWriteOptions,
  ): Promise<Written<EntryView>> {
    const { lists, values, writer } = this.#deps;
    const list = await lists.pipeline(slug, 'current');
    const attributes = await lists.attributesOf(list.id);
    const intent: WriteIntent = await values.read(list, attributes, changes);
    const change = { kind: 'entries', id, listId: list.id, intent, attributes } as const;
    return this.#written(list, await writer.write({ change }, options));
  }

  /** @throws ServiceError `not_found`, `gone` */
  async entry(slug: string, id: string): Promise<Written<EntryView>> {
    const list = await this.#deps.lists.pipeline(slug, 'known');
    const found = await this.#entries.get(id);
    if (found.item.listId !== list.id)
      throw new ServiceError('not_found', `there is no entry in this list with this id`);
    return shaped(found, (item) => toEntryView(item, list));
  }

  /** @param query.stage title in any case, or id @throws ServiceError `not_found` for the list; `refused` for an unknown stage */
  async entries(
    slug: string,
    query: PageQuery & { readonly stage?: string },
  ): Promise<Page<Synced<EntryView>, string>> {
    const list = await this.#deps.lists.pipeline(slug, 'known');
    const stages = query.stage === undefined ? {} : { stages: await this.#stageNames(list, query.stage) };
    const page = await this.#entries.page({ listId: list.id, ...stages }, query);
    return shapedPage(page, (item) => toEntryView(item, list));
  }

  /** @throws ServiceError `not_found`; `unavailable` when the list's stages are not known */
  async overview(slug: string): Promise<PipelineOverview> {
    const { lists, choices, items } = this.#deps;
    const list = await lists.pipeline(slug, 'known');
    const attributes = await lists.attributesOf(list.id, 'known');
    const stage = stageIn(attributes);
    const stages = stage === undefined ? [] : await choices.known(targetOf(list), stage);
    const sums = await items.stageTotals(list.id);
    if (stage !== undefined && isOutOf(stages, sums)) choices.renew(targetOf(list), stage);
    return {
      list: { slug: list.slug, name: list.name, parentObjects: list.parentObjects },
      stages: stageOverviews(stages, sums, ownCurrency(attributes)),
    };
  }

  /** Whether a record is in the list already, as far as it is known here. */
  async #isIn({ id }: ListInfo, { recordId, entityId }: ItemLink): Promise<boolean> {
    const record = { recordId, entityId };
    return (await this.#deps.items.list('entries', { listId: id, record }, '', 1)).length > 0;
  }

  async #lacksStage(list: ListInfo, stage: Attribute): Promise<ServiceError> {
    const there = await this.#deps.choices.existing(targetOf(list), stage, 'stage');
    return invalidMembers([{ path: '/stage', message: `is missing. ${there}` }]);
  }

  async #stageNames(list: ListInfo, stage: string): Promise<string[]> {
    const { lists, choices } = this.#deps;
    try {
      const attribute = stageIn(await lists.attributesOf(list.id, 'known'));
      if (attribute === undefined) return [stage];
      const place = { path: 'stage', noun: 'stage' };
      const { id, title } = await choices.find(targetOf(list), attribute, stage, place);
      return [id, title];
    } catch (error) {
      if (isOutage(error)) return [stage];
      throw error;
    }
  }

  async #written(list: ListInfo, write: ItemProgress): Promise<Written<EntryView>> {
    return shaped(await this.#entries.written(write), (item) => toEntryView(item, list));
  }
}

function targetOf({ id }: ListInfo) {
  return { target: 'lists', identifier: id } as const;
}

function stageIn(attributes: Attributes): Attribute | undefined {
  return attributes.get(pipelineSlugs(attributes).stage ?? '');
}

function ownCurrency(attributes: Attributes): string | null {
  const value = attributes.get(pipelineSlugs(attributes).value ?? '');
  return value?.config?.currency?.default_currency_code ?? null;
}
