import { pipelineSlugs } from '../services/items/shape.ts';
import type { AttioParts } from './attio.ts';

const DEALS = 'deals';

/**
 * Reads the workspace's definitions, behind the start: what callers send is then checked without a call, and lists are
 * shown whatever becomes of Attio. What is not in this workspace, or cannot be read now, is read when it is needed.
 *
 * @param objects slugs; each one's view follows its attributes
 * @param stageSlug the attribute of deals that holds their stage
 */
export function warm(attio: AttioParts, objects: readonly string[], stageSlug: string): void {
  const { schema, members, lists } = attio;
  schema.objects().catch(unread);
  void members.emailsById();
  for (const object of objects) warmObject(attio, object, stageSlug).catch(unread);
  lists
    .mirrored()
    .then((all) => Promise.all(all.map(({ id }) => warmList(attio, id).catch(unread))))
    .catch(unread);
}

function unread(): void {}

async function warmObject(
  { schema, views, choices, mappingWatch }: AttioParts,
  object: string,
  stageSlug: string,
): Promise<void> {
  const attributes = await schema.attributesOf(object);
  views.attributesRead(object, [...attributes.values()]);
  await mappingWatch.attributesRead(object, [...attributes.values()]);
  const stage = object === DEALS ? attributes.get(stageSlug) : undefined;
  if (stage !== undefined) await choices.warm({ target: 'objects', identifier: object }, stage);
}

async function warmList({ lists, choices }: AttioParts, listId: string): Promise<void> {
  const attributes = await lists.attributesOf(listId);
  const stage = attributes.get(pipelineSlugs(attributes).stage ?? '');
  if (stage !== undefined) await choices.warm({ target: 'lists', identifier: listId }, stage);
}
