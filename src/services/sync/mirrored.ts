import { ServiceError } from '../errors.ts';
import type { ListsService } from '../lists.ts';
import { type ActivityRun, listOfRun } from './target.ts';

/** Every configured object and list, notes and tasks, one after the other. */
export const ALL_OBJECTS = 'all';

/** What there is to sync. */
export interface Mirrored {
  readonly objects: readonly string[];
  readonly lists: Pick<ListsService, 'get' | 'isMirrored' | 'mirrored'>;
  /** Of notes and tasks, those that are mirrored. */
  readonly activity: readonly ActivityRun[];
}

/** @throws ServiceError `not_found` for what is not mirrored here */
export async function assertMirrored(name: string, { objects, activity, lists }: Mirrored): Promise<void> {
  const slug = listOfRun(name);
  if (slug === null) {
    if (name === ALL_OBJECTS || [...objects, ...activity].includes(name)) return;
    const more = activity.length === 0 ? '' : `; beside them there are ${activity.join(', ')}`;
    throw new ServiceError(
      'not_found',
      `"${name}" is not mirrored here; SYNC_OBJECTS names ${objects.join(', ')}${more}`,
    );
  }
  if (lists.isMirrored(await lists.get(slug))) return;
  const mirrored = (await lists.mirrored()).map((list) => list.slug);
  throw new ServiceError(
    'not_found',
    `the list "${slug}" is not mirrored here; of the workspace's lists SYNC_LISTS names ${mirrored.join(', ') || 'none'}`,
  );
}
