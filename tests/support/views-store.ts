import type { View, ViewColumn, ViewColumnType } from '../../src/domain/views.ts';
import { ItemsStore } from '../../src/store/items.ts';
import { RecordsStore } from '../../src/store/records.ts';
import { ViewsStore } from '../../src/store/views.ts';
import { openFresh } from './opened-database.ts';

export const READ_AT = '2026-01-05T00:00:00.000000000Z';

/** The store of views on a database of its own, with nothing around it. */
export async function setUpViews() {
  const { database, fresh } = await openFresh();
  const records = new RecordsStore(database);
  return {
    views: new ViewsStore(database),
    items: new ItemsStore(database),
    rows: fresh.rows,
    url: fresh.url,
    /** Stores a record as it comes: its values are not what anybody promises. */
    store: (recordId: string, values: unknown, more: object = {}) =>
      records.upsert([
        {
          object: 'people',
          recordId,
          createdAt: '2026-01-05T00:00:10.000Z',
          webUrl: `https://example.com/${recordId}`,
          values: values as never, // on purpose
          readAt: READ_AT,
          hash: recordId,
          deletedAt: null,
          mergedInto: null,
          hidden: false,
          ...more,
        },
      ]),
  };
}

export function column(
  slug: string,
  type: ViewColumnType = 'text',
  more: Partial<ViewColumn> = {},
): ViewColumn {
  return { slug, type, multi: false, paths: type === 'json' ? [[]] : [['value']], without: [], ...more };
}

export function people(...columns: readonly ViewColumn[]): View {
  return { rows: { object: 'people' }, columns };
}

/** A JSON column as the driver gives it. */
export function json(value: unknown): unknown {
  return typeof value === 'string' ? JSON.parse(value) : value;
}
