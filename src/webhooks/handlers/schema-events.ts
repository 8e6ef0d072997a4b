import type { SchemaService } from '../../services/schema.ts';
import type { ViewsService } from '../../services/views.ts';
import type { WebhookRouter } from '../router.ts';

/** An attribute was made or changed: what is held of its object's schema is read again, and its view made anew. */
export function registerSchemaEvents(
  router: WebhookRouter,
  schema: Pick<SchemaService, 'attributeChanged'>,
  views: Pick<ViewsService, 'built'>,
): void {
  for (const type of ['object-attribute.created', 'object-attribute.updated'] as const) {
    router.on(type, async ({ ids }) => {
      await schema.attributeChanged(ids['object_id'] ?? '');
      await views.built();
      return 'done';
    });
  }
}
