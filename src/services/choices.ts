import type { CachedSchema, Choice } from '../attio/cached-schema.ts';
import type { AttributeTarget } from '../attio/resources/attributes.ts';
import type { Attribute } from '../attio/types.ts';
import type { Clock } from '../domain/clock.ts';
import { isJsonObject, type Json } from '../domain/json.ts';
import { fold, nearest } from '../domain/nearest.ts';
import { askAttio } from './attio-errors.ts';
import { ServiceError } from './errors.ts';

/** A choice that somebody asks for and that is not known may be new: it is looked for anew at most this often. */
const ASK_AGAIN_MS = 5_000;
const MAX_REMEMBERED = 1_000;

/** What a choice is asked for by: its title in any case, its id, or an object with one of them. */
export interface ResolvedChoice {
  readonly id: string;
  readonly title: string;
}

/** Stages and select options by title or id. */
export class ChoicesService {
  readonly #schema: CachedSchema;
  readonly #clock: Clock;
  readonly #askedAt = new Map<string, number>();

  constructor(deps: { schema: CachedSchema; clock: Clock }) {
    this.#schema = deps.schema;
    this.#clock = deps.clock;
  }

  /** Those that can be chosen, in Attio's order. @throws ServiceError `unavailable` */
  async list(target: AttributeTarget, attribute: Attribute): Promise<ResolvedChoice[]> {
    const all = await askAttio(() => this.#schema.choices(target, attribute));
    return all.filter((choice) => !choice.is_archived).map(shown);
  }

  /**
   * @param path of the member at fault, a JSON pointer
   * @param noun such as `stage`, for what is said of it
   * @throws ServiceError `refused` naming those that exist and the nearest; `unavailable`
   */
  async resolve(
    target: AttributeTarget,
    attribute: Attribute,
    input: Json,
    where: { readonly path: string; readonly noun: string },
  ): Promise<ResolvedChoice> {
    const wanted = textOf(input);
    const held = await askAttio(() => this.#schema.choices(target, attribute));
    const found = find(held, wanted);
    if (found !== undefined) return usable(found, held, where);
    const fresh = await this.#askAgain(target, attribute, held);
    const foundNow = find(fresh, wanted);
    if (foundNow !== undefined) return usable(foundNow, fresh, where);
    throw unknown(wanted, fresh, where);
  }

  async #askAgain(
    target: AttributeTarget,
    attribute: Attribute,
    held: readonly Choice[],
  ): Promise<readonly Choice[]> {
    const key = `${target.target}/${target.identifier}/${attribute.api_slug}`;
    const now = this.#clock.now();
    if (now - (this.#askedAt.get(key) ?? Number.NEGATIVE_INFINITY) < ASK_AGAIN_MS) return held;
    if (this.#askedAt.size >= MAX_REMEMBERED) this.#askedAt.clear();
    this.#askedAt.set(key, now);
    this.#schema.expireChoices(target, attribute.api_slug);
    return askAttio(() => this.#schema.choices(target, attribute));
  }
}

function textOf(input: Json): string {
  const given = isJsonObject(input) ? (input['id'] ?? input['title'] ?? '') : input;
  return typeof given === 'string' ? given : '';
}

/** An id, else a title as it is, else in any case; what can be chosen before what is archived. */
function find(choices: readonly Choice[], wanted: string): Choice | undefined {
  const byId = choices.find((choice) => choice.choiceId === wanted.toLowerCase());
  if (byId !== undefined) return byId;
  const living = choices.toSorted((a, b) => Number(a.is_archived) - Number(b.is_archived));
  return (
    living.find((choice) => choice.title === wanted && !choice.is_archived) ??
    living.find((choice) => fold(choice.title) === fold(wanted))
  );
}

function usable(
  choice: Choice,
  all: readonly Choice[],
  { path, noun }: { path: string; noun: string },
): ResolvedChoice {
  if (!choice.is_archived) return shown(choice);
  const message = `is the ${noun} "${choice.title}", which is archived in Attio. ${existing(all, noun)}`;
  throw new ServiceError('refused', `${path} ${message}`, { errors: [{ path, message }] });
}

function unknown(
  wanted: string,
  all: readonly Choice[],
  { path, noun }: { path: string; noun: string },
): ServiceError {
  const titles = living(all);
  const meant = nearest(wanted, titles);
  const hint = meant === null ? '' : ` Did you mean "${meant}"?`;
  const message = `is no ${noun} of this workspace.${hint} ${existing(all, noun)}`;
  return new ServiceError('refused', `${path} ${message}`, { errors: [{ path, message }] });
}

const MAX_TITLES = 50;

function existing(all: readonly Choice[], noun: string): string {
  const titles = living(all);
  if (titles.length === 0) return `There is no ${noun} to choose yet: make one in Attio.`;
  const more = titles.length > MAX_TITLES ? ` and ${titles.length - MAX_TITLES} more` : '';
  const names = titles.slice(0, MAX_TITLES).map((title) => `"${title}"`);
  return `There are: ${names.join(', ')}${more}.`;
}

function living(all: readonly Choice[]): string[] {
  return all.filter((choice) => !choice.is_archived).map((choice) => choice.title);
}

function shown({ choiceId, title }: Choice): ResolvedChoice {
  return { id: choiceId, title };
}
