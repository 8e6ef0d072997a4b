import type { EntityKind, EntityRow } from '../domain/entities.ts';
import type { EntityStore } from './ports.ts';

/** How many merges a chain may have: a longer one is a loop. */
const MAX_MERGE_STEPS = 100;

/** The thing with an id (ours or the Attio record's), or the one that it was merged into, deleted or not. */
export async function survivorOfThing(
  entities: Pick<EntityStore, 'find'>,
  kind: EntityKind,
  id: string,
): Promise<EntityRow | undefined> {
  let entity = await entities.find(kind, id);
  for (let step = 0; entity?.mergedInto != null && step < MAX_MERGE_STEPS; step += 1) {
    entity = await entities.find(kind, entity.mergedInto);
  }
  return entity;
}
