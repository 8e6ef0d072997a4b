import type { Attribute, Row, Stamp } from '../core/types.ts';
import type { Table } from './table.ts';
import type { World } from './world.ts';
import { newValue, store } from './write.ts';

interface Place {
  readonly table: Table;
  readonly attribute: Attribute;
}

/** References without another end are few (custom attributes), so they are looked for only when needed. */
function places(world: World): Place[] {
  const tables = [...world.objects, ...world.lists].map((owner) => owner.table);
  return tables.flatMap((table) =>
    table.schema.attributes
      .filter((attribute) => attribute.type === 'record-reference' && attribute.relationship === null)
      .map((attribute) => ({ table, attribute })),
  );
}

function rewrite(place: Place, row: Row, key: string, replacement: string | null, stamp: Stamp): void {
  const before = row.current.get(place.attribute.id);
  if (before === undefined || !before.some((value) => value.key === key)) return;
  const rest = before.filter((value) => value.key !== key);
  const objectId = key.slice(0, key.indexOf('/'));
  const data = { target_object: objectId, target_record_id: replacement };
  const after = replacement === null ? rest : [newValue(place.attribute, data, stamp), ...rest];
  store(place.table, row, { attribute: place.attribute, before, after }, stamp.at);
}

export function dropReferences(world: World, objectId: string, recordId: string, stamp: Stamp): void {
  redirectReferences(world, objectId, recordId, null, stamp);
}

/** Points every one-way reference to a record at another one, or removes it. */
export function redirectReferences(
  world: World,
  objectId: string,
  recordId: string,
  replacement: string | null,
  stamp: Stamp,
): void {
  for (const place of places(world)) {
    for (const row of place.table.inOrder())
      rewrite(place, row, `${objectId}/${recordId}`, replacement, stamp);
  }
}
