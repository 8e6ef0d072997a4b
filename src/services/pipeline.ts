import type { Synced, Written } from './inputs.ts';
import type { EntryChanges, EntryInput, EntryView, ItemWriteOptions } from './items/inputs.ts';
import type { PageQuery } from './items/items.ts';
import type { DealPipeline } from './pipeline/deal-pipeline.ts';
import type { ListPipeline } from './pipeline/list-pipeline.ts';
import type { Pipeline, PipelineOverview } from './pipeline/pipeline.ts';
import type { Page } from './ports.ts';

const DEALS = 'deals';

/** Pipelines by slug: of the list that bears it; `deals` is the deals object's own, unless a list bears that slug. */
export class PipelineService implements Pipeline {
  readonly #lists: ListPipeline;
  readonly #deals: DealPipeline;

  constructor(deps: { lists: ListPipeline; deals: DealPipeline }) {
    this.#lists = deps.lists;
    this.#deals = deps.deals;
  }

  /** @throws ServiceError `not_found` for the list; `invalid`; `refused`; `unavailable` */
  async addEntry(slug: string, input: EntryInput, options: ItemWriteOptions): Promise<Written<EntryView>> {
    return (await this.#of(slug)).addEntry(slug, input, options);
  }

  /** @throws ServiceError `not_found`, `gone`, `invalid`, `refused`, `unavailable` */
  async updateEntry(
    slug: string,
    id: string,
    changes: EntryChanges,
    options: ItemWriteOptions,
  ): Promise<Written<EntryView>> {
    return (await this.#of(slug)).updateEntry(slug, id, changes, options);
  }

  /** @throws ServiceError `not_found`, `gone` */
  async entry(slug: string, id: string): Promise<Written<EntryView>> {
    return (await this.#of(slug)).entry(slug, id);
  }

  /** @throws ServiceError `not_found`; `refused` for an unknown stage */
  async entries(
    slug: string,
    query: PageQuery & { readonly stage?: string },
  ): Promise<Page<Synced<EntryView>, string>> {
    return (await this.#of(slug)).entries(slug, query);
  }

  /** @throws ServiceError `not_found`; `unavailable` when the stages are not known */
  async overview(slug: string): Promise<PipelineOverview> {
    return (await this.#of(slug)).overview(slug);
  }

  async #of(slug: string): Promise<Pipeline> {
    return slug === DEALS && !(await this.#lists.has(slug)) ? this.#deals : this.#lists;
  }
}
