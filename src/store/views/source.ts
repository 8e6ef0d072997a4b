import type { ViewColumnType, ViewRows } from '../../domain/views.ts';

/** Where a view's rows come from. Its SQL is for both engines, and calls the table `row_`. */
export interface ViewSource {
  readonly table: string;
  readonly join: string | null;
  /** Columns that come first. */
  readonly fixed: readonly { readonly name: string; readonly sql: string; readonly type: ViewColumnType }[];
  /** The column of the table with the raw values as JSON text: `{slug: [value, …]}`. */
  readonly json: string;
  /** Which rows: columns of the table by what they are equal to, null included. */
  readonly where: Readonly<Record<string, string | number | null>>;
  /** Columns of the table that must not be null. */
  readonly present: readonly string[];
}

export function viewName(rows: ViewRows): string {
  return 'object' in rows ? `attio_${rows.object}` : `attio_list_${rows.list}`;
}

export function sourceOf(rows: ViewRows): ViewSource {
  return 'object' in rows ? recordsOf(rows.object) : entriesOf(rows.listId);
}

/** Those that are hidden here are left out. */
function recordsOf(object: string): ViewSource {
  return {
    table: 'record',
    join: null,
    fixed: [
      { name: 'record_id', sql: 'row_.record_id', type: 'text' },
      { name: 'created_at', sql: 'row_.created_at', type: 'timestamp' },
      { name: 'web_url', sql: 'row_.web_url', type: 'text' },
    ],
    json: 'values_json',
    where: { object, deleted_at: null, merged_into: null, hidden: 0 },
    present: [],
  };
}

/** As Attio has them: what is still on its way there is left out. */
function entriesOf(listId: string): ViewSource {
  return {
    table: 'item',
    join: 'left join item_link as link_ on link_.kind = row_.kind and link_.item_id = row_.id and link_.position = 0',
    fixed: [
      { name: 'entry_id', sql: 'row_.attio_id', type: 'text' },
      { name: 'created_at', sql: 'row_.created_at', type: 'timestamp' },
      { name: 'parent_object', sql: 'link_.object', type: 'text' },
      { name: 'parent_record_id', sql: 'link_.record_id', type: 'text' },
    ],
    json: 'body_json',
    where: { kind: 'entries', list_id: listId, deleted_at: null },
    present: ['attio_id'],
  };
}
