import type { ViewColumn, ViewColumnType } from '../../domain/views.ts';
import { columnNames, quoteName, quoteText } from './names.ts';
import type { ViewSource } from './source.ts';

/** How an engine says it. */
export interface ViewDialect {
  /** A text of the table, which the service itself has written, in the engine's type. */
  fixed(sql: string, type: ViewColumnType): string;
  /** An attribute's one value; null when it is not what its type says. Never fails. */
  single(column: ViewColumn, source: ViewSource): string;
  /** An attribute's values as a JSON list; those that are not what their type says are left out. Never fails. */
  multi(column: ViewColumn, source: ViewSource): string;
  from(source: ViewSource): string;
}

export interface NamedColumn {
  readonly name: string;
  readonly sql: string;
}

/** The columns of a view in order. An attribute with the name of a fixed column is that one, and not repeated. */
export function viewColumns(
  dialect: ViewDialect,
  source: ViewSource,
  columns: readonly ViewColumn[],
): NamedColumn[] {
  const fixed = source.fixed.map(({ name, sql, type }) => ({ name, sql: dialect.fixed(sql, type) }));
  const taken = fixed.map(({ name }) => name);
  const own = columns.filter(({ slug }) => !taken.includes(slug));
  const names = columnNames(
    own.map(({ slug }) => slug),
    taken,
  );
  const attributes = own.map((column, index) => ({
    name: names[index] ?? '',
    sql: column.multi ? dialect.multi(column, source) : dialect.single(column, source),
  }));
  return [...fixed, ...attributes];
}

export function selectOf(dialect: ViewDialect, source: ViewSource, columns: readonly NamedColumn[]): string {
  const selected = columns.map(({ name, sql }) => `  ${sql} as ${quoteName(name)}`);
  const from = [dialect.from(source), ...(source.join === null ? [] : [source.join])];
  return `select\n${selected.join(',\n')}\nfrom ${from.join('\n')}\nwhere ${whereOf(source)}`;
}

function whereOf({ where, present }: ViewSource): string {
  const conditions = Object.entries(where).map(([column, value]) => {
    const name = `row_.${quoteName(column)}`;
    if (value === null) return `${name} is null`;
    return `${name} = ${typeof value === 'number' ? value : quoteText(value)}`;
  });
  const given = present.map((column) => `row_.${quoteName(column)} is not null`);
  return [...conditions, ...given].join(' and ');
}
