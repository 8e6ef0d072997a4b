import { z } from 'zod';
import { AttioError, invalid } from '../core/errors.ts';
import { queryTable } from '../filters/query.ts';
import { queryBody } from '../filters/query-body.ts';
import { entriesOf } from '../state/entries.ts';
import { mergeRecords } from '../state/merge.ts';
import { assertRecord, createRecord, deleteRecord, updateRecord } from '../state/records.ts';
import { renderRecord } from '../state/render.ts';
import type { WriteMode } from '../state/write.ts';
import { readValues, valuesQuery } from './attribute-values.ts';
import { type Call, param, route } from './router.ts';
import { data, page, slice, uuid, values } from './schemas.ts';

const written = data(z.object({ values }));

const objectOf = (call: Call) => call.world.object(param(call, 'object'));

function rowOf(call: Call) {
  const object = objectOf(call);
  return { object, row: call.world.record(object, param(call, 'record_id')) };
}

function update(method: 'PATCH' | 'PUT', mode: WriteMode) {
  return route({
    method,
    path: '/objects/{object}/records/{record_id}',
    body: written,
    handle(call) {
      const { object, row } = rowOf(call);
      updateRecord(call.world, object, row, call.body.data.values, call.stamp(), { mode });
      return { data: renderRecord(call.world, object, row) };
    },
  });
}

export const recordRoutes = [
  route({
    method: 'POST',
    path: '/objects/{object}/records/query',
    body: queryBody,
    handle(call) {
      const object = objectOf(call);
      const { rows, score } = queryTable(call.world, object.table, call.body);
      call.header('x-attio-record-query-score', String(score));
      return { data: rows.map((row) => renderRecord(call.world, object, row)) };
    },
  }),
  route({
    method: 'POST',
    path: '/objects/{object}/records/merge',
    body: data(z.object({ primary_record_id: uuid, secondary_record_id: uuid })),
    handle(call) {
      const object = objectOf(call);
      const { primary_record_id, secondary_record_id } = call.body.data;
      if (primary_record_id === secondary_record_id) {
        throw new AttioError(400, 'self_merge', 'A record cannot be merged with itself.');
      }
      const [primary, secondary] = [primary_record_id, secondary_record_id].map((id) => {
        const row = object.table.get(id);
        if (row === undefined)
          throw new AttioError(404, 'value_not_found', `Record with ID "${id}" not found.`);
        return row;
      });
      if (primary === undefined || secondary === undefined) throw invalid('Two records are needed.');
      const merged = mergeRecords(call.world, object, primary, secondary, call.stamp());
      return { data: renderRecord(call.world, object, merged) };
    },
  }),
  route({
    method: 'POST',
    path: '/objects/{object}/records',
    body: written,
    handle(call) {
      const object = objectOf(call);
      const row = createRecord(call.world, object, call.body.data.values, call.stamp());
      return { data: renderRecord(call.world, object, row) };
    },
  }),
  route({
    method: 'PUT',
    path: '/objects/{object}/records',
    query: z.object({ matching_attribute: z.string() }),
    body: written,
    handle(call) {
      const object = objectOf(call);
      const { matching_attribute } = call.query;
      const row = assertRecord(call.world, object, matching_attribute, call.body.data.values, call.stamp());
      return { data: renderRecord(call.world, object, row) };
    },
  }),
  route({
    method: 'GET',
    path: '/objects/{object}/records/{record_id}',
    handle(call) {
      const { object, row } = rowOf(call);
      return { data: renderRecord(call.world, object, row) };
    },
  }),
  update('PATCH', 'prepend'),
  update('PUT', 'replace'),
  route({
    method: 'DELETE',
    path: '/objects/{object}/records/{record_id}',
    handle(call) {
      const { object, row } = rowOf(call);
      deleteRecord(call.world, object, row, call.stamp());
      return {};
    },
  }),
  route({
    method: 'GET',
    path: '/objects/{object}/records/{record_id}/attributes/{attribute}/values',
    query: valuesQuery,
    handle(call) {
      const { object, row } = rowOf(call);
      return { data: readValues(call, object.table, row) };
    },
  }),
  route({
    method: 'GET',
    path: '/objects/{object}/records/{record_id}/entries',
    query: z.object(page(100, 1000)),
    handle(call) {
      const { row } = rowOf(call);
      const all = call.world.lists.flatMap((list) =>
        entriesOf(list, row.id).map((entry) => ({
          list_id: list.id,
          list_api_slug: list.slug,
          entry_id: entry.id,
          created_at: entry.createdAt,
        })),
      );
      return { data: slice(all, call.query) };
    },
  }),
];
