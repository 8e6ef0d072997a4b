import { z } from 'zod';
import { AttioError, invalid, valueNotFound } from '../core/errors.ts';
import type { Attribute, Choice } from '../core/types.ts';
import { attributePatch, newAttributeBody } from '../state/attribute-schemas.ts';
import {
  attributeOf,
  createAttribute,
  emitAttribute,
  ownerOf,
  updateAttribute,
} from '../state/attributes.ts';
import { renderAttribute, scopeOf } from '../state/render.ts';
import { addChoice } from '../state/structure.ts';
import { readOption, readStatus } from '../values/choices.ts';
import { type Call, param, route } from './router.ts';
import { data, flag, page, slice } from './schemas.ts';

const ATTRIBUTES = '/{target}/{identifier}/attributes';
const ATTRIBUTE = `${ATTRIBUTES}/{attribute}`;

const owner = (call: Call) => ownerOf(call.world, param(call, 'target'), param(call, 'identifier'));

function place(call: Call) {
  const found = owner(call);
  return { owner: found, attribute: attributeOf(found, param(call, 'attribute')) };
}

const showArchived = { show_archived: flag.default(false) };

const attributes = [
  route({
    method: 'GET',
    path: ATTRIBUTES,
    query: z.object({ ...page(Number.MAX_SAFE_INTEGER), ...showArchived }),
    handle(call) {
      const { table } = owner(call);
      const shown = table.schema.attributes.filter((one) => call.query.show_archived || !one.archived);
      return { data: slice(shown, call.query).map((one) => renderAttribute(call.world, table, one)) };
    },
  }),
  route({
    method: 'POST',
    path: ATTRIBUTES,
    body: data(newAttributeBody),
    handle(call) {
      const on = owner(call);
      const attribute = createAttribute(call.world, on, call.body.data, call.stamp());
      return { data: renderAttribute(call.world, on.table, attribute) };
    },
  }),
  route({
    method: 'GET',
    path: ATTRIBUTE,
    handle(call) {
      const { owner: on, attribute } = place(call);
      return { data: renderAttribute(call.world, on.table, attribute) };
    },
  }),
  route({
    method: 'PATCH',
    path: ATTRIBUTE,
    body: data(attributePatch),
    handle(call) {
      const { owner: on, attribute } = place(call);
      updateAttribute(call.world, on, attribute, call.body.data, call.stamp());
      return { data: renderAttribute(call.world, on.table, attribute) };
    },
  }),
];

interface ChoiceKind {
  readonly type: 'select' | 'status';
  readonly plural: 'options' | 'statuses';
  readonly noun: 'select option' | 'status';
  readonly patch: z.ZodType<ChoicePatch>;
  readonly create: z.ZodType<ChoicePatch & { title: string }>;
  render: typeof readOption;
}

interface ChoicePatch {
  readonly title?: string | undefined;
  readonly is_archived?: boolean | undefined;
  readonly celebration_enabled?: boolean | undefined;
  readonly target_time_in_status?: string | null | undefined;
}

const title = z.string().min(1);
const duration = z.string().regex(/^P(?=.)/, 'Expected an ISO 8601 duration.');
const statusDetails = {
  celebration_enabled: z.boolean().optional(),
  target_time_in_status: duration.nullable().optional(),
};

const OPTIONS: ChoiceKind = {
  type: 'select',
  plural: 'options',
  noun: 'select option',
  create: z.object({ title }),
  patch: z.object({ title: title.optional(), is_archived: z.boolean().optional() }),
  render: readOption,
};

const STATUSES: ChoiceKind = {
  type: 'status',
  plural: 'statuses',
  noun: 'status',
  create: z.object({ title, ...statusDetails }),
  patch: z.object({ title: title.optional(), is_archived: z.boolean().optional(), ...statusDetails }),
  render: readStatus,
};

function checkTitle(kind: ChoiceKind, attribute: Attribute, wanted: string, except?: Choice): void {
  if (!attribute.choices.some((choice) => choice !== except && choice.title === wanted)) return;
  throw new AttioError(
    409,
    'slug_conflict',
    `There is already another ${kind.noun} with the title "${wanted}".`,
  );
}

function choicePlace(call: Call, kind: ChoiceKind) {
  const found = place(call);
  if (found.attribute.type !== kind.type) throw invalid(`This attribute is not a ${kind.type} attribute.`);
  return found;
}

function apply(choice: Choice, patch: ChoicePatch): void {
  choice.title = patch.title ?? choice.title;
  choice.archived = patch.is_archived ?? choice.archived;
  choice.celebration = patch.celebration_enabled ?? choice.celebration;
  if (patch.target_time_in_status !== undefined) choice.targetTime = patch.target_time_in_status;
}

function findChoice(kind: ChoiceKind, attribute: Attribute, ref: string): Choice {
  const found = attribute.choices.find((choice) => choice.id === ref || choice.title === ref);
  if (found !== undefined) return found;
  const option = kind.type === 'select' ? 'select option' : 'status option';
  throw valueNotFound(`Cannot find ${kind.type} attribute with ${option} title "${ref}".`);
}

function choiceRoutes(kind: ChoiceKind) {
  const path = `${ATTRIBUTE}/${kind.plural}`;
  const render = (call: Call, choice: Choice) => {
    const { owner: on, attribute } = place(call);
    return kind.render(choice, attribute, scopeOf(call.world, on.table));
  };
  return [
    route({
      method: 'GET',
      path,
      query: z.object(showArchived),
      handle(call) {
        const { attribute } = choicePlace(call, kind);
        const shown = attribute.choices.filter((choice) => call.query.show_archived || !choice.archived);
        return { data: shown.map((choice) => render(call, choice)) };
      },
    }),
    route({
      method: 'POST',
      path,
      body: data(kind.create),
      handle(call) {
        const { owner: on, attribute } = choicePlace(call, kind);
        checkTitle(kind, attribute, call.body.data.title);
        const choice = addChoice(call.world, attribute, call.body.data.title);
        apply(choice, call.body.data);
        emitAttribute(call.world, on, attribute, 'updated', call.stamp());
        return { data: render(call, choice) };
      },
    }),
    route({
      method: 'PATCH',
      path: `${path}/{choice}`,
      body: data(kind.patch),
      handle(call) {
        const { owner: on, attribute } = choicePlace(call, kind);
        const choice = findChoice(kind, attribute, param(call, 'choice'));
        if (call.body.data.title !== undefined) checkTitle(kind, attribute, call.body.data.title, choice);
        apply(choice, call.body.data);
        emitAttribute(call.world, on, attribute, 'updated', call.stamp());
        return { data: render(call, choice) };
      },
    }),
  ];
}

export const attributeRoutes = [...attributes, ...choiceRoutes(OPTIONS), ...choiceRoutes(STATUSES)];
