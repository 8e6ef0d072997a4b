import type { Attribute } from '../../attio/types.ts';
import { AttributeValueError } from '../../attio/values/codec.ts';
import { writeValues } from '../../attio/values/write.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { ChoicesService } from '../choices.ts';
import { isOutage, type MemberFault, ServiceError } from '../errors.ts';
import type { ListInfo } from '../lists.ts';
import { operationOf } from '../outbox/fields.ts';
import type { EntryChanges } from './inputs.ts';
import { type Attributes, type PipelineSlugs, pipelineSlugs } from './shape.ts';

/** What is asked for of an entry, by slug, with stages and options as what the list has; checked as far as it can be. */
export class EntryValues {
  readonly #choices: Pick<ChoicesService, 'resolve'>;

  constructor(deps: { choices: Pick<ChoicesService, 'resolve'> }) {
    this.#choices = deps.choices;
  }

  /** @throws ServiceError `invalid`; `refused` for a stage or option that does not exist */
  async read(list: ListInfo, attributes: Attributes, changes: EntryChanges): Promise<WriteIntent> {
    const slugs = pipelineSlugs(attributes);
    const faults = [...memberFaults(list, slugs, changes), ...valueFaults(list, slugs, attributes, changes)];
    if (faults.length > 0) throw invalid(faults);
    const intent: Record<string, Json> = {};
    for (const [slug, input] of Object.entries(changes.attributes ?? {})) {
      const attribute = attributes.get(slug);
      const path = `/attributes/${slug}`;
      intent[slug] =
        attribute === undefined ? input : await this.#resolve(list, attribute, input, path, 'option');
    }
    const { stage, value } = changes;
    const stageAttribute = attributes.get(slugs.stage ?? '');
    if (stageAttribute !== undefined && stage !== undefined) {
      intent[stageAttribute.api_slug] = await this.#resolve(list, stageAttribute, stage, '/stage', 'stage');
    }
    const valueAttribute = attributes.get(slugs.value ?? '');
    if (valueAttribute !== undefined && value !== undefined) {
      intent[valueAttribute.api_slug] = amountFor(valueAttribute, value);
    }
    return intent;
  }

  async #resolve(
    { id }: ListInfo,
    attribute: Attribute,
    input: Json,
    path: string,
    noun: string,
  ): Promise<Json> {
    if (attribute.type !== 'status' && attribute.type !== 'select') return input;
    const target = { target: 'lists', identifier: id } as const;
    const one = async (each: Json): Promise<Json> => {
      try {
        const { id: choiceId, title } = await this.#choices.resolve(target, attribute, each, { path, noun });
        return { id: choiceId, title };
      } catch (error) {
        // Attio will say so, when it can be asked again.
        if (isOutage(error)) return each;
        throw error;
      }
    };
    if (input === null) return null;
    if (isJsonObject(input) && Array.isArray(input['replace'])) {
      return { replace: await Promise.all(input['replace'].map(one)) };
    }
    return Array.isArray(input) ? Promise.all(input.map(one)) : one(input);
  }
}

function amountFor(attribute: Attribute, value: { readonly amount: number } | null): Json {
  if (value === null) return null;
  return attribute.type === 'currency' ? { amount: value.amount } : value.amount;
}

function memberFaults(list: ListInfo, slugs: PipelineSlugs, changes: EntryChanges): MemberFault[] {
  const faults: MemberFault[] = [];
  if (changes.stage !== undefined && slugs.stage === null) {
    faults.push({
      path: '/stage',
      message: `is not known to the list ${list.slug}: it has no stage attribute`,
    });
  }
  if (changes.value !== undefined && slugs.value === null) {
    const message = `is not known to the list ${list.slug}: it has no currency attribute`;
    faults.push({ path: '/value', message });
  }
  return faults;
}

function valueFaults(
  list: ListInfo,
  slugs: PipelineSlugs,
  attributes: Attributes,
  { attributes: given = {}, value, stage }: EntryChanges,
): MemberFault[] {
  const twice = [
    ...(slugs.stage !== null && stage !== undefined && slugs.stage in given ? [slugs.stage] : []),
    ...(slugs.value !== null && value !== undefined && slugs.value in given ? [slugs.value] : []),
  ].map((slug) => ({ path: `/attributes/${slug}`, message: 'is given twice: send it in one place' }));
  const own = attributes.get(slugs.value ?? '');
  const money = own === undefined || value == null ? null : faultOf(list, own, amountFor(own, value));
  return [
    ...twice,
    ...(money === null ? [] : [{ path: '/value', message: money }]),
    ...faultsIn(list, attributes, given),
  ];
}

function faultsIn(list: ListInfo, attributes: Attributes, given: JsonObject): MemberFault[] {
  return Object.entries(given).flatMap(([slug, input]) => {
    const message = faultOf(list, attributes.get(slug), input);
    return message === null ? [] : [{ path: `/attributes/${slug}`, message }];
  });
}

function faultOf(list: ListInfo, attribute: Attribute | undefined, input: Json): string | null {
  if (attribute === undefined || attribute.is_archived) return `is no attribute of the list ${list.slug}`;
  if (!attribute.is_writable) return 'cannot be written: Attio sets it itself';
  try {
    const operation = operationOf(attribute.api_slug, attribute, input);
    if (operation.op !== 'clear') {
      writeValues(attribute, operation.op === 'set' ? operation.value : operation.values);
    }
    return null;
  } catch (error) {
    if (!(error instanceof AttributeValueError)) throw error;
    return error.problem;
  }
}

function invalid(errors: readonly MemberFault[]): ServiceError {
  const words = errors.map(({ path, message }) => `${path} ${message}`).join('; ');
  return new ServiceError('invalid', `Mend the request: ${words}.`, { errors });
}
