import { z } from 'zod';
import { attributeNotFound, invalid } from '../core/errors.ts';
import type { Row } from '../core/types.ts';
import { scopeOf } from '../state/render.ts';
import type { Table } from '../state/table.ts';
import { historyOf, valuesOf } from '../state/values-of.ts';
import { readValue } from '../values/index.ts';
import { type Call, param } from './router.ts';
import { flag, page, slice } from './schemas.ts';

export const valuesQuery = z.object({
  show_historic: flag.default(false),
  ...page(Number.MAX_SAFE_INTEGER),
});

/** The one place where ended values can be seen, oldest first. */
export function readValues(
  call: Call<unknown, z.output<typeof valuesQuery>>,
  table: Table,
  row: Row,
): unknown[] {
  const ref = param(call, 'attribute');
  const attribute = table.schema.find(ref);
  if (attribute === undefined) throw attributeNotFound(ref);
  if (call.query.show_historic && attribute.enriched) {
    const kind = attribute.type === 'interaction' ? 'COMINT' : 'enriched';
    throw invalid(`Cannot set show_historic param to true when querying a ${kind} attribute.`);
  }
  const values = call.query.show_historic ? historyOf(row, attribute) : valuesOf(row, attribute);
  const scope = scopeOf(call.world, table);
  return slice(values, call.query).map((value) => readValue(value, attribute, scope));
}
