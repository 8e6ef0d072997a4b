import type { Row, Stamp } from '../core/types.ts';
import { deleteEntry, entriesOf } from './entries.ts';
import { dropReferences } from './one-way-references.ts';
import type { AttioObject, World } from './world.ts';

/** What goes with a deleted record: its list entries, its notes, its threads, and the links to it. */
export function detach(world: World, object: AttioObject, row: Row, stamp: Stamp): void {
  for (const list of world.lists) {
    for (const entry of entriesOf(list, row.id)) deleteEntry(world, list, entry, stamp);
  }
  for (const note of world.notes.values()) {
    if (note.parentRecordId !== row.id) continue;
    world.notes.delete(note.id);
    const parent = { parent_object_id: note.parentObjectId, parent_record_id: note.parentRecordId };
    world.emit('note.deleted', { note_id: note.id }, stamp.actor, parent);
  }
  for (const thread of world.threads.values()) {
    if (thread.recordId !== row.id) continue;
    for (const id of thread.commentIds) world.comments.delete(id);
    world.threads.delete(thread.id);
  }
  for (const task of world.tasks.values()) {
    task.linked = task.linked.filter((link) => link.recordId !== row.id);
  }
  dropReferences(world, object.id, row.id, stamp);
}
