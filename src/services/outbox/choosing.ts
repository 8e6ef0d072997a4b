import type { Attribute } from '../../attio/types.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Json } from '../../domain/json.ts';
import type { WriteIntent } from '../../domain/outbox.ts';
import type { ChoicesService } from '../choices.ts';
import { type MemberFault, ServiceError } from '../errors.ts';
import type { MembersService } from '../members.ts';
import type { Mapping } from '../sync/mapping.ts';
import type { Draft } from './draft.ts';
import { type Attributes, replacementOf } from './fields.ts';
import { pathOf } from './intents.ts';

/** How long a caller waits for the choices; without them a write is taken as it is given, and Attio decides. */
const WAIT_MS = 1_000;

type Choosable = Pick<Draft, 'kind' | 'keySlug' | 'intent'>;

export interface Chosen<D extends Choosable = Draft> {
  readonly draft: D;
  /** What the workspace does not have. */
  readonly faults: readonly MemberFault[];
}

/** Puts the stages, options and owners that a write names as their ids, so that a misspelt one is told at once. */
export class Choosing {
  readonly #choices: Pick<ChoicesService, 'resolve'>;
  readonly #members: Pick<MembersService, 'idOf'>;
  readonly #mapping: Pick<Mapping, 'pathOf' | 'ruleOf'>;
  readonly #clock: Clock;

  constructor(deps: {
    choices: Pick<ChoicesService, 'resolve'>;
    members: Pick<MembersService, 'idOf'>;
    mapping: Pick<Mapping, 'pathOf' | 'ruleOf'>;
    clock: Clock;
  }) {
    this.#choices = deps.choices;
    this.#members = deps.members;
    this.#mapping = deps.mapping;
    this.#clock = deps.clock;
  }

  /** @param given slugs that were given under `attributes` */
  async choose<D extends Choosable>(
    draft: D,
    attributes: Attributes,
    given: ReadonlySet<string>,
  ): Promise<Chosen<D>> {
    const asGiven: Chosen<D> = { draft, faults: [] };
    const named = Object.entries(draft.intent).flatMap(([field, input]) => {
      const attribute = attributes.get(field);
      const isNamed = attribute !== undefined && input !== null && this.#isChosen(draft, field, attribute);
      return isNamed ? [{ field, input, attribute }] : [];
    });
    if (named.length === 0) return asGiven;
    const answered = new AbortController();
    const limit = this.#clock.sleep(WAIT_MS, answered.signal).then(
      () => asGiven,
      () => asGiven,
    );
    const chosen = await Promise.race([this.#all(draft, named, given), limit]);
    answered.abort();
    return chosen;
  }

  /** The same before a write is sent that was taken as it was given. What is unknown is left for Attio to refuse. */
  async chooseLate(draft: Choosable, attributes: Attributes): Promise<WriteIntent> {
    const open = Object.entries(draft.intent).filter(([, input]) => namesByText(input));
    if (open.length === 0) return draft.intent;
    const { draft: chosen } = await this.choose(
      { ...draft, intent: Object.fromEntries(open) },
      attributes,
      new Set(),
    );
    return { ...draft.intent, ...chosen.intent };
  }

  /** What is left of an intent without the choices that the workspace does not have any more. */
  async without(draft: Choosable, attributes: Attributes): Promise<WriteIntent> {
    const kept = await Promise.all(
      Object.entries(draft.intent).map(async ([field, input]) => {
        const { faults } = await this.choose({ ...draft, intent: { [field]: input } }, attributes, new Set());
        return faults.length === 0 ? [[field, input] as const] : [];
      }),
    );
    return Object.fromEntries(kept.flat());
  }

  #isChosen({ kind }: Choosable, field: string, { type }: Attribute): boolean {
    const form = this.#mapping.ruleOf(kind, field)?.form;
    return type === 'select' || type === 'status' || (type === 'actor-reference' && form === 'member');
  }

  async #all<D extends Choosable>(
    draft: D,
    named: readonly Named[],
    given: ReadonlySet<string>,
  ): Promise<Chosen<D>> {
    const intent: Record<string, Json> = {};
    const faults: MemberFault[] = [];
    for (const { field, input, attribute } of named) {
      const path = pathOf(this.#mapping, draft, field, given);
      const isStage = !given.has(field) && this.#mapping.ruleOf(draft.kind, field)?.form === 'stage';
      const noun = isStage ? 'stage' : 'option';
      const known = await this.#each(input, path, (value, at) =>
        attribute.type === 'actor-reference'
          ? this.#member(value, at)
          : this.#choice(draft, attribute, value, { path: at, noun }),
      );
      intent[field] = known.input;
      faults.push(...known.faults);
    }
    const resolved: WriteIntent = { ...draft.intent, ...intent };
    return { draft: { ...draft, intent: resolved }, faults };
  }

  /** Each value of an input put by its id; left as it is where Attio cannot be asked. */
  async #each(
    input: Json,
    path: string,
    ask: (value: Json, path: string) => Promise<Json>,
  ): Promise<{ input: Json; faults: readonly MemberFault[] }> {
    const faults: MemberFault[] = [];
    const one = async (value: Json, at: string): Promise<Json> => {
      try {
        return await ask(value, at);
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        if (error.kind === 'refused') faults.push(...error.errors);
        return value;
      }
    };
    const list = async (values: readonly Json[], at: string) =>
      Promise.all(values.map((value, index) => one(value, `${at}/${index}`)));
    const replacement = replacementOf(input);
    if (replacement !== null)
      return { input: { replace: await list(replacement, `${path}/replace`) }, faults };
    if (Array.isArray(input)) return { input: await list(input, path), faults };
    return { input: await one(input, path), faults };
  }

  async #choice(
    { kind }: Choosable,
    attribute: Attribute,
    value: Json,
    where: { path: string; noun: string },
  ): Promise<Json> {
    const { id, title } = await this.#choices.resolve(
      { target: 'objects', identifier: kind },
      attribute,
      value,
      where,
    );
    return { id, title };
  }

  async #member(value: Json, path: string): Promise<Json> {
    if (typeof value !== 'string') return value;
    return { type: 'workspace-member', id: await this.#members.idOf(value, path) };
  }
}

interface Named {
  readonly field: string;
  readonly input: Json;
  readonly attribute: Attribute;
}

function namesByText(input: Json): boolean {
  const values = replacementOf(input) ?? [input].flat();
  return values.some((value) => typeof value === 'string');
}
