import type { SchemaService } from '../../services/schema.ts';
import type { WebhookRouter } from '../router.ts';

/** An attribute was made or changed: what is held of its object's schema is read again. */
export function registerSchemaEvents(
  router: WebhookRouter,
  schema: Pick<SchemaService, 'attributeChanged'>,
): void {
  for (const type of ['object-attribute.created', 'object-attribute.updated'] as const) {
    router.on(type, async ({ ids }) => {
      await schema.attributeChanged(ids['object_id'] ?? '');
      return 'done';
    });
  }
}
