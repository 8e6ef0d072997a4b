import type { Attribute } from '../../attio/types.ts';
import type { Deal } from '../../domain/entities.ts';
import type { ChoicesService } from '../choices.ts';
import type { DealsService } from '../deals.ts';
import { isOutage, ServiceError } from '../errors.ts';
import type { DealChange, Synced, Written } from '../inputs.ts';
import type { EntryChanges, EntryInput, EntryView, ItemWriteOptions } from '../items/inputs.ts';
import type { PageQuery } from '../items/items.ts';
import { refused } from '../items/parents.ts';
import type { Page } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import { type Pipeline, type PipelineOverview, rounded } from './pipeline.ts';

const STAGE = 'stage';
const VALUE = 'value';
const DEALS = { target: 'objects', identifier: 'deals' } as const;

export interface DealPipelineDeps {
  readonly deals: Pick<DealsService, 'get' | 'update' | 'list' | 'listByStage' | 'stageTotals'>;
  readonly choices: Pick<ChoicesService, 'list' | 'resolve'>;
  readonly schema: Pick<SchemaService, 'attributesOf'>;
}

/** The deals object's own pipeline: a deal is its own entry. */
export class DealPipeline implements Pipeline {
  readonly #deps: DealPipelineDeps;

  constructor(deps: DealPipelineDeps) {
    this.#deps = deps;
  }

  async addEntry(slug: string, input: EntryInput, options: ItemWriteOptions): Promise<Written<EntryView>> {
    const { parent } = input;
    if ('email' in parent) {
      throw refused('/email', 'names a person; in the pipeline of deals, recordId names the deal');
    }
    if (parent.object !== undefined && parent.object !== 'deals') {
      throw refused('/object', `is ${parent.object}; this pipeline takes deals`);
    }
    try {
      return await this.updateEntry(slug, parent.recordId, input, options);
    } catch (error) {
      const isNone = error instanceof ServiceError && (error.kind === 'not_found' || error.kind === 'gone');
      throw isNone
        ? refused('/recordId', `is no deal here: ${error.message}. PUT /v1/deals makes one`)
        : error;
    }
  }

  async updateEntry(
    slug: string,
    id: string,
    changes: EntryChanges,
    options: ItemWriteOptions,
  ): Promise<Written<EntryView>> {
    const { stage, value, attributes } = changes;
    if (attributes !== undefined && Object.keys(attributes).length > 0) {
      throw misplaced('/attributes', 'are not taken here: send them with PUT /v1/deals');
    }
    if (stage === null) throw misplaced('/stage', 'cannot be cleared: a deal has one');
    const change: DealChange = {
      ...(stage === undefined ? {} : { stage }),
      ...(value === undefined ? {} : { value }),
    };
    return inForm(await this.#deps.deals.update(id, change, options), slug);
  }

  async entry(slug: string, id: string): Promise<Written<EntryView>> {
    return inForm(await this.#deps.deals.get(id), slug);
  }

  async entries(
    slug: string,
    { stage, after, limit }: PageQuery & { readonly stage?: string },
  ): Promise<Page<Synced<EntryView>, string>> {
    const { deals } = this.#deps;
    const page =
      stage === undefined
        ? await deals.list({ limit, ...(after === undefined ? {} : { after }) })
        : await deals.listByStage(await this.#stageId(stage), after ?? null, limit);
    return { rows: page.rows.map((deal) => inForm(deal, slug)), next: page.next };
  }

  async overview(slug: string): Promise<PipelineOverview> {
    const { deals, choices, schema } = this.#deps;
    const attributes = await schema.attributesOf('deals');
    const attribute = attributes.get(STAGE);
    const stages = attribute === undefined ? [] : await choices.list(DEALS, attribute);
    const totals = await deals.stageTotals();
    const code = attributes.get(VALUE)?.config?.currency?.default_currency_code ?? null;
    return {
      list: { slug, name: 'Deals', parentObjects: ['deals'] },
      stages: stages.map(({ id, title }) => {
        const own = totals.filter(
          ({ stageId, title: name }) => stageId === id || (stageId === null && name === title),
        );
        return {
          id,
          title,
          count: own.reduce((all, { count }) => all + count, 0),
          valueTotal: rounded(own.reduce((all, { valueTotal }) => all + (valueTotal ?? 0), 0)),
          currencyCode: own.find(({ currencyCode }) => currencyCode !== null)?.currencyCode ?? code,
        };
      }),
    };
  }

  /** @throws ServiceError `refused` for an unknown one; while Attio cannot be asked, what was given */
  async #stageId(stage: string): Promise<string> {
    const attribute = await this.#stageAttribute();
    if (attribute === null) return stage;
    try {
      return (await this.#deps.choices.resolve(DEALS, attribute, stage, { path: STAGE, noun: STAGE })).id;
    } catch (error) {
      if (isOutage(error)) return stage;
      throw error;
    }
  }

  async #stageAttribute(): Promise<Attribute | null> {
    try {
      return (await this.#deps.schema.attributesOf('deals')).get(STAGE) ?? null;
    } catch (error) {
      if (isOutage(error)) return null;
      throw error;
    }
  }
}

function misplaced(path: string, message: string): ServiceError {
  return new ServiceError('invalid', `${path} ${message}`, { errors: [{ path, message }] });
}

function inForm({ thing, sync }: Synced<Deal>, slug: string): Written<EntryView> {
  const { id, recordId, version, createdAt, updatedAt, deletedAt, stage, value, attributes } = thing;
  const head = { id, attioId: recordId, version, createdAt, updatedAt, deletedAt };
  return { thing: { ...head, list: slug, object: 'deals', recordId, stage, value, attributes }, sync };
}
