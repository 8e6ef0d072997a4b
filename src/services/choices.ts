import type { CachedSchema, Choice, Wanted } from '../attio/cached-schema.ts';
import type { AttributeTarget } from '../attio/resources/attributes.ts';
import type { Attribute } from '../attio/types.ts';
import type { Clock } from '../domain/clock.ts';
import { isJsonObject, type Json } from '../domain/json.ts';
import { fold, nearest } from '../domain/nearest.ts';
import { askAttio } from './attio-errors.ts';
import { refusedMember, type ServiceError } from './errors.ts';
import { Pace } from './pace.ts';

/** A choice that somebody asks for and that is not known may be new: it is looked for anew at most this often. */
const ASK_AGAIN_MS = 5_000;

/** Choices that lack one which is in use are read anew at most this often. */
const RENEW_MS = 60_000;

/** What a choice is asked for by: its title in any case, its id, or an object with one of them. */
export interface ResolvedChoice {
  readonly id: string;
  readonly title: string;
}

export interface KnownChoice extends ResolvedChoice {
  readonly isArchived: boolean;
}

/** The member at fault, a JSON pointer or the name of a parameter; and what it names, such as `stage`. */
interface Place {
  readonly path: string;
  readonly noun: string;
}

/** Stages and select options by title or id. */
export class ChoicesService {
  readonly #schema: CachedSchema;
  readonly #again: Pace;
  readonly #renewal: Pace;

  constructor(deps: { schema: CachedSchema; clock: Clock }) {
    this.#schema = deps.schema;
    this.#again = new Pace(deps.clock, ASK_AGAIN_MS);
    this.#renewal = new Pace(deps.clock, RENEW_MS);
  }

  /**
   * All that there are, in Attio's order, whatever their age: Attio is waited for only when none are known.
   * @throws ServiceError `unavailable`
   */
  async known(target: AttributeTarget, attribute: Attribute): Promise<KnownChoice[]> {
    const all = await this.#choices(target, attribute, 'known');
    return all.map((choice) => ({ ...shown(choice), isArchived: choice.is_archived }));
  }

  /** Has them in memory, and kept. @throws ServiceError `unavailable` */
  async warm(target: AttributeTarget, attribute: Attribute): Promise<void> {
    await this.#choices(target, attribute, 'current');
  }

  /** One that exists, for reads: the archived may be asked for as well. @throws as `known`, and as `resolve` */
  async find(
    target: AttributeTarget,
    attribute: Attribute,
    wanted: string,
    place: Place,
  ): Promise<ResolvedChoice> {
    const all = await this.#choices(target, attribute, 'known');
    const found = find(all, wanted);
    if (found === undefined) throw unknown(wanted, all, place);
    return shown(found);
  }

  /** One that is not known is in use: they are read anew, behind this. */
  renew(target: AttributeTarget, attribute: Attribute): void {
    if (!this.#renewal.isDue(keyOf(target, attribute))) return;
    this.#schema.expireChoices(target, attribute.api_slug);
    this.#schema.choices(target, attribute).catch(() => {});
  }

  /** What is to be said of one that is missing: those there are. @throws as `known` */
  async existing(target: AttributeTarget, attribute: Attribute, noun: string): Promise<string> {
    return existing(await this.#choices(target, attribute, 'known'), noun);
  }

  /** @throws ServiceError `refused` naming those that exist and the nearest; `unavailable` */
  async resolve(
    target: AttributeTarget,
    attribute: Attribute,
    input: Json,
    place: Place,
  ): Promise<ResolvedChoice> {
    const wanted = textOf(input);
    const held = await this.#choices(target, attribute, 'current');
    const found = find(held, wanted);
    if (found !== undefined) return usable(found, held, place);
    const fresh = await this.#askAgain(target, attribute, held);
    const foundNow = find(fresh, wanted);
    if (foundNow !== undefined) return usable(foundNow, fresh, place);
    throw unknown(wanted, fresh, place);
  }

  async #askAgain(
    target: AttributeTarget,
    attribute: Attribute,
    held: readonly Choice[],
  ): Promise<readonly Choice[]> {
    if (!this.#again.isDue(keyOf(target, attribute))) return held;
    this.#schema.expireChoices(target, attribute.api_slug);
    return this.#choices(target, attribute, 'current');
  }

  async #choices(target: AttributeTarget, attribute: Attribute, wanted: Wanted): Promise<readonly Choice[]> {
    const noun = attribute.type === 'status' ? 'stages' : 'options';
    const ask = () => this.#schema.choices(target, attribute, wanted);
    return askAttio(ask, { wanted: `The ${noun} of ${attribute.api_slug}` });
  }
}

function keyOf({ target, identifier }: AttributeTarget, { api_slug: slug }: Attribute): string {
  return `${target}/${identifier}/${slug}`;
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

function usable(choice: Choice, all: readonly Choice[], { path, noun }: Place): ResolvedChoice {
  if (!choice.is_archived) return shown(choice);
  throw refusedMember(
    path,
    `is the ${noun} "${choice.title}", which is archived in Attio. ${existing(all, noun)}`,
  );
}

function unknown(wanted: string, all: readonly Choice[], { path, noun }: Place): ServiceError {
  const titles = living(all);
  const meant = nearest(wanted, titles);
  const hint = meant === null ? '' : ` Did you mean "${meant}"?`;
  return refusedMember(path, `is no ${noun} of this workspace.${hint} ${existing(all, noun)}`);
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
