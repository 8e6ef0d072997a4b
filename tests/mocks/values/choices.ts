import { valueNotFound } from '../core/errors.ts';
import type { Attribute, Choice } from '../core/types.ts';
import {
  ACTIVE_FROM,
  badValue,
  type Codec,
  choiceOf,
  EXACT,
  type Property,
  type ReadScope,
  unwrap,
} from './codec.ts';

function resolve(input: unknown, attribute: Attribute, name: 'option' | 'status'): Choice {
  const ref = unwrap(input, attribute, name);
  if (typeof ref !== 'string' || ref === '')
    throw badValue(attribute, `Expected the title or id of a ${name}.`);
  const found = choiceOf(attribute, ref);
  if (found !== undefined) return found;
  const noun =
    name === 'option' ? 'select attribute with select option' : 'status attribute with status option';
  throw valueNotFound(`Cannot find ${noun} title "${ref}".`);
}

/** A filter may give the title or the id. */
function titleOrId(name: string): Property {
  return {
    kind: 'string',
    operators: EXACT,
    get: (value, attribute) => {
      const id = String(value.data[name]);
      return [id, attribute.choices.find((choice) => choice.id === id)?.title ?? null];
    },
  };
}

/** Boards order stages by their place, not by their name. */
const PLACE: Property = {
  kind: 'number',
  operators: [],
  get: (value, attribute) =>
    attribute.choices.findIndex(
      (choice) => choice.id === value.data['option'] || choice.id === value.data['status'],
    ),
};

export function readOption(choice: Choice, attribute: Attribute, scope: ReadScope): Record<string, unknown> {
  const id = { workspace_id: scope.workspaceId, object_id: scope.schemaId, attribute_id: attribute.id };
  return { id: { ...id, option_id: choice.id }, title: choice.title, is_archived: choice.archived };
}

/** Inside lists `object_id` holds the list's id. */
export function readStatus(choice: Choice, attribute: Attribute, scope: ReadScope): Record<string, unknown> {
  const id = { workspace_id: scope.workspaceId, object_id: scope.schemaId, attribute_id: attribute.id };
  return {
    id: { ...id, status_id: choice.id },
    title: choice.title,
    is_archived: choice.archived,
    target_time_in_status: choice.targetTime,
    celebration_enabled: choice.celebration,
  };
}

function stored(attribute: Attribute, id: unknown): Choice {
  const found = attribute.choices.find((choice) => choice.id === id);
  if (found === undefined) throw new Error(`attribute ${attribute.slug} holds an unknown choice`);
  return found;
}

export const select: Codec = {
  main: 'option',
  sortBy: 'place',
  properties: {
    option: titleOrId('option'),
    title: titleOrId('option'),
    active_from: ACTIVE_FROM,
    place: PLACE,
  },
  parse: (input, attribute) => ({ option: resolve(input, attribute, 'option').id }),
  key: (data) => String(data['option']),
  read: (data, attribute, scope) => ({
    option: readOption(stored(attribute, data['option']), attribute, scope),
  }),
};

export const status: Codec = {
  main: 'status',
  sortBy: 'place',
  properties: {
    status: titleOrId('status'),
    title: titleOrId('status'),
    active_from: ACTIVE_FROM,
    place: PLACE,
  },
  parse: (input, attribute) => ({ status: resolve(input, attribute, 'status').id }),
  key: (data) => String(data['status']),
  read: (data, attribute, scope) => ({
    status: readStatus(stored(attribute, data['status']), attribute, scope),
  }),
};
