import type { NewChange } from '../../domain/changes.ts';
import type { PlainAttributes } from '../../domain/entities.ts';
import { sameJson } from '../../domain/json.ts';
import {
  type AttributeValues,
  changedSlugs,
  type MirroredRecord,
  type RecordSnapshot,
} from '../../domain/records.ts';

/** What followers are told of a record. A restored one is told as created: its followers were told that it is gone. */
export function tellRecord(
  snapshot: RecordSnapshot,
  plain: PlainAttributes,
  before: MirroredRecord | undefined,
  id: string,
  at: string,
): NewChange {
  return {
    type: before === undefined ? 'record.created' : 'record.updated',
    object: snapshot.object,
    id,
    source: 'attio',
    changed: changedSlugs(before?.values, snapshot.values, sameValues),
    at,
    data: {
      recordId: snapshot.recordId,
      webUrl: snapshot.webUrl,
      createdAt: snapshot.createdAt,
      values: plain,
    },
  };
}

function sameValues(a: AttributeValues, b: AttributeValues): boolean {
  return a.length === b.length && (a.length === 0 || sameJson(a, b));
}
