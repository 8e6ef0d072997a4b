import type { ViewColumn } from '../../domain/views.ts';
import { quoteName, quoteText } from './names.ts';
import type { ViewDialect } from './select.ts';

/** Days that there are: a cast of any other would fail, and the whole query with it. */
const DAY =
  '(?!0000)(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))' +
  '|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)';
const TIME =
  '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,9})?(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])';
const NUMERAL = '-?[0-9]{1,40}(?:[.][0-9]{1,40})?';

/** JSON that `jsonb` refuses: NUL, and half of a surrogate pair. JSON.stringify writes them, and little else, escaped. */
const BACKSLASH_U = String.raw`\u`;
const UNSTORABLE = String.raw`(?<!\\)((?:\\\\)*)\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})`;
const REPLACEMENT = '\\1\u{FFFD}';

/** In SQL in which a backslash in a text stands for itself. */
export const postgresDialect: ViewDialect = {
  fixed: (text, type) => (type === 'timestamp' ? `${text}::timestamptz` : text),
  single(column) {
    return firstOf(column, (path) => plain(column, member([column.slug, 0, ...path], 'json_.values')));
  },
  multi(column) {
    const item = firstOf(column, (path) => json(column, member(path, 'each_.item')));
    const list = member([column.slug], 'json_.values');
    return (
      `coalesce((select jsonb_agg(${item} order by each_.place) filter (where ${item} is not null) ` +
      `from jsonb_array_elements(case jsonb_typeof(${list}) when 'array' then ${list} end) ` +
      `with ordinality as each_(item, place)), '[]'::jsonb)`
    );
  },
  // `offset 0` keeps the planner from writing the parsing into every column: once per row is enough. Being lateral, it
  // does not keep a condition on an id from finding its row by the index.
  from({ table, json: column }) {
    const text = `row_.${quoteName(column)}`;
    return (
      `${quoteName(table)} as row_ cross join lateral (select case ` +
      `when position(${quoteText(BACKSLASH_U)} in ${text}) = 0 then ${text}::jsonb ` +
      `else regexp_replace(${text}, ${quoteText(UNSTORABLE)}, ${quoteText(REPLACEMENT)}, 'g')::jsonb ` +
      'end as values offset 0) as json_'
    );
  },
};

function firstOf({ paths }: ViewColumn, at: (path: readonly string[]) => string): string {
  const found = paths.map(at);
  return found.length === 1 ? (found[0] ?? 'null') : `coalesce(${found.join(', ')})`;
}

/** A member of JSON, as jsonb. */
function member(path: readonly (string | number)[], of: string): string {
  if (path.length === 0) return of;
  const steps = path.map((step) => (typeof step === 'number' ? String(step) : quoteText(step)));
  return `(${[of, ...steps].join(' -> ')})`;
}

/** In PostgreSQL's own types. */
function plain(column: ViewColumn, value: string): string {
  const text = `(${value} #>> '{}')`;
  switch (column.type) {
    case 'boolean':
      return `case jsonb_typeof(${value}) when 'boolean' then ${value}::boolean end`;
    case 'number':
      return `case jsonb_typeof(${value}) when 'number' then ${value}::numeric when 'string' then ${matching(text, NUMERAL, 'numeric')} end`;
    case 'date':
      return `case jsonb_typeof(${value}) when 'string' then ${matching(text, DAY, 'date')} end`;
    case 'timestamp':
      return `case jsonb_typeof(${value}) when 'string' then ${matching(text, `${DAY}T${TIME}`, 'timestamptz')} end`;
    case 'json':
      return json(column, value);
    default:
      return `case jsonb_typeof(${value}) when 'string' then ${text} end`;
  }
}

/** As jsonb, for a list. */
function json(column: ViewColumn, value: string): string {
  switch (column.type) {
    case 'boolean':
      return `case jsonb_typeof(${value}) when 'boolean' then ${value} end`;
    case 'number':
      return `to_jsonb(${plain(column, value)})`;
    case 'json':
      return `case jsonb_typeof(${value}) when 'object' then ${value} - array[${column.without.map(quoteText).join(', ')}]::text[] end`;
    default:
      return `case jsonb_typeof(${value}) when 'string' then ${value} end`;
  }
}

function matching(text: string, pattern: string, type: string): string {
  return `case when ${text} ~ ${quoteText(`^(?:${pattern})$`)} then ${text}::${type} end`;
}
