import { z } from 'zod';
import { AttioError } from '../core/errors.ts';
import { queryTable } from '../filters/query.ts';
import { queryBody } from '../filters/query-body.ts';
import {
  assertEntry,
  createEntry,
  deleteEntry,
  findEntry,
  parentFor,
  updateEntry,
} from '../state/entries.ts';
import { renderEntry } from '../state/render.ts';
import type { WriteMode } from '../state/write.ts';
import { readValues, valuesQuery } from './attribute-values.ts';
import { type Call, param, route } from './router.ts';
import { data, uuid, values } from './schemas.ts';

const created = data(z.object({ parent_record_id: uuid, parent_object: z.string(), entry_values: values }));

/** The parent is let through the schema so that its own error can be given. */
const updated = data(
  z.object({
    entry_values: values,
    parent_record_id: z.unknown().optional(),
    parent_object: z.unknown().optional(),
  }),
);

const listOf = (call: Call) => call.world.list(param(call, 'list'));

function entryOf(call: Call) {
  const list = listOf(call);
  return { list, entry: findEntry(list, param(call, 'entry_id')) };
}

function write(method: 'POST' | 'PUT', save: typeof createEntry) {
  return route({
    method,
    path: '/lists/{list}/entries',
    body: created,
    handle(call) {
      const list = listOf(call);
      const { parent_object, parent_record_id, entry_values } = call.body.data;
      const parent = parentFor(call.world, list, parent_object, parent_record_id);
      const entry = save(call.world, list, parent, entry_values, call.stamp());
      return { data: renderEntry(call.world, list, entry) };
    },
  });
}

function update(method: 'PATCH' | 'PUT', mode: WriteMode) {
  return route({
    method,
    path: '/lists/{list}/entries/{entry_id}',
    body: updated,
    handle(call) {
      const { list, entry } = entryOf(call);
      const { parent_record_id, parent_object, entry_values } = call.body.data;
      if (parent_record_id !== undefined || parent_object !== undefined) {
        const message = 'The parent record for a list entry cannot be updated once created.';
        throw new AttioError(400, 'immutable_value', message);
      }
      updateEntry(call.world, list, entry, entry_values, call.stamp(), mode);
      return { data: renderEntry(call.world, list, entry) };
    },
  });
}

export const entryRoutes = [
  route({
    method: 'POST',
    path: '/lists/{list}/entries/query',
    body: queryBody,
    handle(call) {
      const list = listOf(call);
      const { rows, score } = queryTable(call.world, list.table, call.body);
      call.header('x-attio-record-query-score', String(score));
      return { data: rows.map((entry) => renderEntry(call.world, list, entry)) };
    },
  }),
  write('POST', createEntry),
  write('PUT', assertEntry),
  route({
    method: 'GET',
    path: '/lists/{list}/entries/{entry_id}',
    handle(call) {
      const { list, entry } = entryOf(call);
      return { data: renderEntry(call.world, list, entry) };
    },
  }),
  update('PATCH', 'prepend'),
  update('PUT', 'replace'),
  route({
    method: 'DELETE',
    path: '/lists/{list}/entries/{entry_id}',
    handle(call) {
      const { list, entry } = entryOf(call);
      deleteEntry(call.world, list, entry, call.stamp());
      return {};
    },
  }),
  route({
    method: 'GET',
    path: '/lists/{list}/entries/{entry_id}/attributes/{attribute}/values',
    query: valuesQuery,
    handle(call) {
      const { list, entry } = entryOf(call);
      return { data: readValues(call, list.table, entry) };
    },
  }),
];
