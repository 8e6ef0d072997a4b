import type { ViewColumn, ViewColumnType } from '../../domain/views.ts';
import { quoteName, quoteText } from './names.ts';
import type { ViewDialect } from './select.ts';
import type { ViewSource } from './source.ts';

/** What tools read of a column's type: SQLite knows it of a cast. */
const CASTS: Readonly<Record<ViewColumnType, string>> = {
  text: 'text',
  number: 'numeric',
  boolean: 'integer',
  date: 'text',
  timestamp: 'text',
  json: 'text',
};

/** Only functions that SQLite has long had: reporting tools bring an SQLite of their own. */
export const sqliteDialect: ViewDialect = {
  fixed: (text) => text,
  single(column, source) {
    const value = firstOf(column, (path) => plain(column, jsonOf(source), [column.slug, 0, ...path]));
    return `cast(${value} as ${CASTS[column.type]})`;
  },
  multi(column, source) {
    const item = firstOf(column, (path) => json(column, path));
    const list = quoteText(pathOf([column.slug]));
    return (
      `cast((select json_group_array(json(${item})) filter (where ${item} is not null) ` +
      `from json_each(${jsonOf(source)}, ${list}) as each_ where each_.type = 'object') as text)`
    );
  },
  from: ({ table }) => `${quoteName(table)} as row_`,
};

function jsonOf({ json: column }: ViewSource): string {
  return `row_.${quoteName(column)}`;
}

function firstOf({ paths }: ViewColumn, at: (path: readonly string[]) => string): string {
  const found = paths.map(at);
  return found.length === 1 ? (found[0] ?? 'null') : `coalesce(${found.join(', ')})`;
}

/** The value at a path in SQLite's own types. */
function plain({ type, without }: ViewColumn, holder: string, path: readonly (string | number)[]): string {
  const at = `${holder}, ${quoteText(pathOf(path))}`;
  const value = `json_extract(${at})`;
  switch (type) {
    case 'number':
      return `case json_type(${at}) when 'integer' then ${value} when 'real' then ${value} when 'text' then ${numeral(value)} end`;
    case 'boolean':
      return `case json_type(${at}) when 'true' then 1 when 'false' then 0 end`;
    case 'json':
      return `case json_type(${at}) when 'object' then ${remove(value, without)} end`;
    default:
      return `case json_type(${at}) when 'text' then ${value} end`;
  }
}

/** The value at a path in a list's member, as JSON text. */
function json(column: ViewColumn, path: readonly string[]): string {
  if (column.type === 'boolean') {
    const at = `each_.value, ${quoteText(pathOf(path))}`;
    return `case json_type(${at}) when 'true' then 'true' when 'false' then 'false' end`;
  }
  const value = plain(column, 'each_.value', path);
  return column.type === 'json' ? value : `nullif(json_quote(${value}), 'null')`;
}

/** A text that is a number; what is no JSON must not come near the JSON functions. */
function numeral(text: string): string {
  return `case when not json_valid(${text}) then null when json_type(${text}) in ('integer', 'real') then json_extract(${text}, '$') end`;
}

function remove(value: string, members: readonly string[]): string {
  return `json_remove(${[value, ...members.map((member) => quoteText(pathOf([member])))].join(', ')})`;
}

function pathOf(steps: readonly (string | number)[]): string {
  return `$${steps.map((step) => (typeof step === 'number' ? `[${step}]` : `.${JSON.stringify(step)}`)).join('')}`;
}
