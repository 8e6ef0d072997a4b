import type { SchemaService } from '../../services/schema.ts';
import type { ViewsService } from '../../services/views.ts';
import type { WebhookRouter } from '../router.ts';

/** An attribute was made or changed: what is held of its object's schema is read again, and its view made anew. */
export function registerSchemaEvents(
  router: WebhookRouter,
  schema: Pick<SchemaService, 'attributeChanged' | 'attributesOf' | 'slugOf'>,
  views: Pick<ViewsService, 'attributesRead' | 'built'>,
): void {
  for (const type of ['object-attribute.created', 'object-attribute.updated'] as const) {
    router.on(type, async ({ ids }) => {
      const objectId = ids['object_id'] ?? '';
      await schema.attributeChanged(objectId);
      const object = await schema.slugOf(objectId);
      // Another instance may have read them: views are told here of its reads, too.
      if (object !== null) views.attributesRead(object, [...(await schema.attributesOf(object)).values()]);
      await views.built();
      return 'done';
    });
  }
}
