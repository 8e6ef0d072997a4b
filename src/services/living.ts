import type { EntityKind, EntityRow } from '../domain/entities.ts';
import type { EntityStore } from './ports.ts';

/** How many merges a chain may have: a longer one is a loop. */
const MAX_MERGE_STEPS = 100;

/**
 * The thing with an id (ours or the Attio record's), or the one that it was merged into, deleted or not. Where the
 * survivor was never seen here (it was deleted before we heard of it), the last one that was.
 */
export async function survivorOfThing(
  entities: Pick<EntityStore, 'find'>,
  kind: EntityKind,
  id: string,
): Promise<EntityRow | undefined> {
  let entity = await entities.find(kind, id);
  for (let step = 0; entity?.mergedInto != null && step < MAX_MERGE_STEPS; step += 1) {
    const survivor = await entities.find(kind, entity.mergedInto);
    if (survivor === undefined) return entity;
    entity = survivor;
  }
  return entity;
}
