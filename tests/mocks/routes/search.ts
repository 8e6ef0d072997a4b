import { z } from 'zod';
import { valueNotFound } from '../core/errors.ts';
import type { Row } from '../core/types.ts';
import { valuesOf } from '../state/values-of.ts';
import type { AttioObject, World } from '../state/world.ts';
import { route } from './router.ts';
import { uuid } from './schemas.ts';

const requestAs = z.union([
  z.object({ type: z.literal('workspace') }),
  z.object({ type: z.literal('workspace-member'), workspace_member_id: uuid }),
  z.object({ type: z.literal('workspace-member'), email_address: z.email() }),
]);

function texts(object: AttioObject, row: Row, slug: string, member: string): string[] {
  const attribute = object.table.schema.find(slug);
  if (attribute === undefined) return [];
  return valuesOf(row, attribute).map((value) => String(value.data[member]));
}

/** What is searched and shown of a record: name, domains, e-mails, phones and social handles. */
function describe(object: AttioObject, row: Row) {
  const name =
    object.slug === 'people' ? texts(object, row, 'name', 'full_name') : texts(object, row, 'name', 'value');
  const lists =
    object.slug === 'people'
      ? {
          email_addresses: texts(object, row, 'email_addresses', 'email_address'),
          phone_numbers: texts(object, row, 'phone_numbers', 'phone_number'),
        }
      : object.slug === 'companies'
        ? { domains: texts(object, row, 'domains', 'domain') }
        : {};
  const social = ['linkedin', 'twitter', 'facebook', 'instagram', 'angellist'];
  const handles = social.flatMap((slug) => texts(object, row, slug, 'value'));
  return { name: name[0] ?? '', lists, all: [...name, ...Object.values(lists).flat(), ...handles] };
}

function* hits(
  world: World,
  objects: readonly AttioObject[],
  query: string,
): Generator<Record<string, unknown>> {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  for (const object of objects) {
    for (const row of object.table.inOrder()) {
      const { name, lists, all } = describe(object, row);
      const text = all.join(' ').toLowerCase();
      if (!words.every((word) => text.includes(word))) continue;
      yield {
        id: { workspace_id: world.workspace.id, object_id: object.id, record_id: row.id },
        record_text: name,
        record_image: null,
        object_slug: object.slug,
        ...lists,
      };
    }
  }
}

export const searchRoutes = [
  route({
    method: 'POST',
    path: '/objects/records/search',
    body: z.object({
      query: z.string().max(256),
      objects: z.array(z.string()).min(1),
      request_as: requestAs,
      limit: z.number().int().min(1).max(25).default(25),
    }),
    handle({ world, body }) {
      const objects = body.objects.map((ref) => {
        const object = world.findObject(ref);
        if (object === undefined) throw valueNotFound(`Object with slug/ID "${ref}" not found.`);
        return object;
      });
      return { data: hits(world, objects, body.query).take(body.limit).toArray() };
    },
  }),
];
