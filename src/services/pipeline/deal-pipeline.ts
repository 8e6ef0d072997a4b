import type { Deal } from '../../domain/entities.ts';
import type { ChoicesService } from '../choices.ts';
import type { DealsService } from '../deals.ts';
import { invalidMembers, isOutage, refusedMember, ServiceError } from '../errors.ts';
import type { DealChange, Synced, Written } from '../inputs.ts';
import type { EntryChanges, EntryInput, EntryView, ItemWriteOptions } from '../items/inputs.ts';
import type { PageQuery } from '../items/items.ts';
import type { Page } from '../ports.ts';
import type { SchemaService } from '../schema.ts';
import type { Mapping } from '../sync/mapping.ts';
import { isOutOf, type Pipeline, type PipelineOverview, stageOverviews } from './pipeline.ts';

const STAGE = 'stage';
const VALUE = 'value';
/** Attributes that are members of an entry itself. */
const OWN = [STAGE, VALUE] as const;
const DEALS = { target: 'objects', identifier: 'deals' } as const;

export interface DealPipelineDeps {
  readonly deals: Pick<DealsService, 'get' | 'update' | 'list' | 'listByStage' | 'stageTotals'>;
  readonly choices: Pick<ChoicesService, 'known' | 'find' | 'renew'>;
  readonly schema: Pick<SchemaService, 'attributesOf'>;
  readonly mapping: Pick<Mapping, 'slugOf'>;
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
      throw refusedMember('/email', 'names a person; in the pipeline of deals, recordId names the deal');
    }
    if (parent.object !== undefined && parent.object !== 'deals') {
      throw refusedMember('/object', `is ${parent.object}; this pipeline takes deals`);
    }
    try {
      return await this.updateEntry(slug, parent.recordId, input, options);
    } catch (error) {
      const isNone = error instanceof ServiceError && (error.kind === 'not_found' || error.kind === 'gone');
      throw isNone
        ? refusedMember('/recordId', `is no deal here: ${error.message}. PUT /v1/deals makes one`)
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
    const faults = OWN.flatMap((member) => {
      const slug = this.#slugOf(member);
      if (!Object.hasOwn(attributes ?? {}, slug)) return [];
      const message = `has its own place beside attributes: send it as ${member}`;
      return [{ path: `/attributes/${slug}`, message }];
    });
    if (stage === null) faults.push({ path: '/stage', message: 'cannot be cleared: a deal has one' });
    if (faults.length > 0) throw invalidMembers(faults);
    const change: DealChange = {
      ...(stage == null ? {} : { stage }),
      ...(value === undefined ? {} : { value }),
      ...(attributes === undefined ? {} : { attributes }),
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
    const attributes = await schema.attributesOf('deals', 'known');
    const stage = attributes.get(this.#slugOf(STAGE));
    const stages = stage === undefined ? [] : await choices.known(DEALS, stage);
    const totals = await deals.stageTotals();
    const sums = totals.map(({ stageId, title, ...sum }) => ({ ...sum, stage: stageId ?? title }));
    if (stage !== undefined && isOutOf(stages, sums)) choices.renew(DEALS, stage);
    const code = attributes.get(this.#slugOf(VALUE))?.config?.currency?.default_currency_code ?? null;
    return {
      list: { slug, name: 'Deals', parentObjects: ['deals'] },
      stages: stageOverviews(stages, sums, code),
    };
  }

  #slugOf(member: (typeof OWN)[number]): string {
    return this.#deps.mapping.slugOf('deals', member);
  }

  /** @throws ServiceError `refused` for an unknown one; while nothing is known of them, what was given */
  async #stageId(stage: string): Promise<string> {
    const { choices, schema } = this.#deps;
    try {
      const attribute = (await schema.attributesOf('deals', 'known')).get(this.#slugOf(STAGE));
      if (attribute === undefined) return stage;
      return (await choices.find(DEALS, attribute, stage, { path: STAGE, noun: STAGE })).id;
    } catch (error) {
      if (isOutage(error)) return stage;
      throw error;
    }
  }
}

function inForm({ thing, sync }: Synced<Deal>, slug: string): Written<EntryView> {
  const { id, recordId, version, createdAt, updatedAt, deletedAt, stage, value, attributes } = thing;
  const head = { id, attioId: recordId, version, createdAt, updatedAt, deletedAt };
  return { thing: { ...head, list: slug, object: 'deals', recordId, stage, value, attributes }, sync };
}
