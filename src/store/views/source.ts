import type { ViewColumnType } from '../../domain/views.ts';

/** Where a view's rows come from. */
export interface ViewSource {
  readonly table: string;
  /** Columns of the table that come first, under their own names. */
  readonly fixed: readonly { readonly name: string; readonly type: ViewColumnType }[];
  /** The column with the raw values as JSON text, `{slug: [value, …]}`, and where in it they are. */
  readonly json: { readonly column: string; readonly path: readonly string[] };
  /** Which rows: columns by what they are equal to, null included. */
  readonly where: Readonly<Record<string, string | number | null>>;
}

/** The living records of an object; not those that are hidden here. */
export function recordsOf(object: string): ViewSource {
  return {
    table: 'record',
    fixed: [
      { name: 'record_id', type: 'text' },
      { name: 'created_at', type: 'timestamp' },
      { name: 'web_url', type: 'text' },
    ],
    json: { column: 'values_json', path: [] },
    where: { object, deleted_at: null, merged_into: null, hidden: 0 },
  };
}
