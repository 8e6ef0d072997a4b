import type { ChoicesService } from '../choices.ts';
import { ServiceError } from '../errors.ts';
import { pipelineSlugs } from '../items/shape.ts';
import type { ListsService } from '../lists.ts';
import type { AwaitedStage } from './automation.ts';

export interface AwaitedStagesDeps {
  readonly lists: Pick<ListsService, 'pipeline' | 'attributesOf'>;
  readonly choices: Pick<ChoicesService, 'resolve'>;
}

/** Whether the stages that automations wait for exist: nothing would ever happen after one that does not. */
export class AwaitedStages {
  readonly #deps: AwaitedStagesDeps;

  constructor(deps: AwaitedStagesDeps) {
    this.#deps = deps;
  }

  /**
   * @returns what is wrong with it, naming those that exist and the nearest spelling; null: it can be reached
   * @throws ServiceError `unavailable`
   */
  async fault({ list, stage }: AwaitedStage): Promise<string | null> {
    const { lists, choices } = this.#deps;
    try {
      const { id } = await lists.pipeline(list, 'current');
      const attributes = await lists.attributesOf(id);
      const attribute = attributes.get(pipelineSlugs(attributes).stage ?? '');
      if (attribute === undefined) return `the list "${list}" has no stages`;
      const place = { path: `"${stage}"`, noun: 'stage' };
      await choices.resolve({ target: 'lists', identifier: id }, attribute, stage, place);
      return null;
    } catch (error) {
      if (error instanceof ServiceError && (error.kind === 'not_found' || error.kind === 'refused')) {
        return error.message.replace(/\.$/, '');
      }
      throw error;
    }
  }
}
