import type { Attribute } from '../../attio/types.ts';
import type { EntityKind } from '../../domain/entities.ts';
import type { Mappings } from '../../domain/mapping.ts';
import type { ChoicesService, KnownChoice } from '../choices.ts';
import { ServiceError } from '../errors.ts';
import { entityKindOf } from '../sync/mapping.ts';
import { configuredRules, judgeFields, judgeTable, type MappingTrouble } from './judge.ts';

/** Never throws. */
export interface MappingEvents {
  /** @param troubles none: all is well again */
  mappingJudged(object: string, troubles: readonly MappingTrouble[]): void;
  unexpected(where: string, error: unknown): void;
}

interface Deps {
  readonly mappings: Mappings;
  readonly choices: Pick<ChoicesService, 'known'>;
}

/** Everything about an object that the mapping does not fit. @throws ServiceError `unavailable` */
export async function judgeMapping(
  { mappings, choices }: Deps,
  kind: EntityKind,
  attributes: readonly Attribute[],
): Promise<MappingTrouble[]> {
  const rules = configuredRules(kind, mappings[kind]);
  const troubles = judgeFields(kind, mappings[kind], attributes);
  for (const rule of rules.filter(({ transform }) => transform?.kind === 'map')) {
    const attribute = attributes.find(({ api_slug: slug }) => slug === rule.attribute);
    const isChosen = attribute?.type === 'select' || attribute?.type === 'status';
    if (attribute === undefined || attribute.is_archived || !isChosen) continue;
    const known: readonly KnownChoice[] = await choices.known(
      { target: 'objects', identifier: kind },
      attribute,
    );
    troubles.push(...judgeTable(kind, rule, known));
  }
  return troubles;
}

/** Holds the mapping against the workspace whenever its attributes were read, and tells when that has changed. */
export class MappingWatch {
  readonly #deps: Deps & { readonly events: MappingEvents };
  readonly #troubles = new Map<EntityKind, readonly MappingTrouble[]>();

  constructor(deps: Deps & { readonly events: MappingEvents }) {
    this.#deps = deps;
  }

  /** What goes astray, in words. */
  get faults(): readonly string[] {
    return [...this.#troubles.values()]
      .flat()
      .filter(({ isFault }) => isFault)
      .map(({ field, problem }) => `${field}: ${problem}`);
  }

  /** Behind whoever has read them: options may have to be asked for. Never rejects. */
  async attributesRead(object: string, attributes: readonly Attribute[]): Promise<void> {
    const kind = entityKindOf(object);
    if (kind === null || configuredRules(kind, this.#deps.mappings[kind]).length === 0) return;
    try {
      this.#note(kind, await judgeMapping(this.#deps, kind, attributes));
    } catch (error) {
      // Without the options, the fields alone: doctor looks at both.
      if (!(error instanceof ServiceError)) this.#deps.events.unexpected('the mapping', error);
      this.#note(kind, judgeFields(kind, this.#deps.mappings[kind], attributes));
    }
  }

  #note(kind: EntityKind, troubles: readonly MappingTrouble[]): void {
    const before = this.#troubles.get(kind) ?? [];
    this.#troubles.set(kind, troubles);
    if (wordsOf(before) !== wordsOf(troubles)) this.#deps.events.mappingJudged(kind, troubles);
  }
}

function wordsOf(troubles: readonly MappingTrouble[]): string {
  return troubles.map(({ field, problem }) => `${field} ${problem}`).join('\n');
}
