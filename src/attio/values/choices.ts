import { isJsonObject, type JsonObject } from '../../domain/json.ts';
import { type AttributeShape, asText, fail, onlyMembers, textOf, type ValueCodec } from './codec.ts';

/**
 * A select option or a status. Plain: `{id, title}`. Input: the title, or an object with `id` or `title`; the id
 * wins, because titles change. Attio never creates a choice by being given its title.
 */
function choice(member: 'option' | 'status', idName: 'option_id' | 'status_id'): ValueCodec {
  return {
    read(value) {
      const chosen = value[member];
      // Attio's OpenAPI also allows the bare id.
      if (typeof chosen === 'string') return { id: chosen, title: null };
      if (!isJsonObject(chosen)) return undefined;
      const id = isJsonObject(chosen['id']) ? textOf(chosen['id'], idName) : null;
      const title = textOf(chosen, 'title');
      return id === null && title === null ? undefined : { id, title };
    },
    write: (input, attribute) => ({
      [member]: isJsonObject(input)
        ? idOrTitle(input, attribute)
        : asText(input, attribute, 'a title, or an object with id or title'),
    }),
  };
}

function idOrTitle(input: JsonObject, attribute: AttributeShape): string {
  onlyMembers(input, ['id', 'title'], attribute);
  const chosen = textOf(input, 'id') ?? textOf(input, 'title') ?? '';
  return chosen === '' ? fail(attribute, 'must have an id or a title') : chosen;
}

export const select = choice('option', 'option_id');
export const status = choice('status', 'status_id');
