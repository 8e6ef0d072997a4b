import type { MirroredLists } from '../../services/items/mirrored-lists.ts';
import type { ListsService } from '../../services/lists.ts';
import type { MembersService } from '../../services/members.ts';
import type { SchemaService } from '../../services/schema.ts';
import type { ViewsService } from '../../services/views.ts';
import type { WebhookRouter } from '../router.ts';
import { idOf } from './members.ts';

interface SchemaEventsDeps {
  readonly schema: Pick<SchemaService, 'attributeChanged' | 'attributesOf' | 'slugOf'>;
  readonly lists: Pick<ListsService, 'changed' | 'attributesChanged' | 'attributesOf'>;
  readonly mirroredLists: Pick<MirroredLists, 'isMirrored' | 'deleted'>;
  readonly members: Pick<MembersService, 'changed' | 'emailsById'>;
  readonly views: Pick<ViewsService, 'attributesRead' | 'listAttributesRead' | 'built'>;
}

/** Definitions have changed: what is held of them is read again, and views are made anew. */
export function registerSchemaEvents(router: WebhookRouter, deps: SchemaEventsDeps): void {
  const { schema, lists, mirroredLists, members, views } = deps;
  const showList = async (listId: string) => {
    if ((await mirroredLists.isMirrored(listId)) !== true) return;
    // Another instance may have read them: views are told here of its reads, too.
    views.listAttributesRead(listId, [...(await lists.attributesOf(listId)).values()]);
    await views.built();
  };
  for (const type of ['object-attribute.created', 'object-attribute.updated'] as const) {
    router.on(type, async (event) => {
      const objectId = idOf(event, 'object_id');
      await schema.attributeChanged(objectId);
      const object = await schema.slugOf(objectId);
      if (object !== null) views.attributesRead(object, [...(await schema.attributesOf(object)).values()]);
      await views.built();
      return 'done';
    });
  }
  for (const type of ['list-attribute.created', 'list-attribute.updated'] as const) {
    router.on(type, async (event) => {
      const listId = idOf(event, 'list_id');
      if ((await mirroredLists.isMirrored(listId)) === null) return 'ignored';
      await lists.attributesChanged(listId);
      await showList(listId);
      return 'done';
    });
  }
  for (const type of ['list.created', 'list.updated'] as const) {
    router.on(type, async (event) => {
      await lists.changed();
      await showList(idOf(event, 'list_id'));
      return 'done';
    });
  }
  router
    .on('list.deleted', async (event) => {
      await mirroredLists.deleted(idOf(event, 'list_id'));
      return 'done';
    })
    .on('workspace-member.created', async () => {
      members.changed();
      await members.emailsById();
      return 'done';
    });
}
