import { z } from 'zod';
import { AttioError, invalid } from '../core/errors.ts';
import { renderObject } from '../state/render.ts';
import { newObject } from '../state/structure.ts';
import { param, route } from './router.ts';
import { data } from './schemas.ts';

const noun = z.string().min(1);
const slug = z.string().regex(/^[a-z0-9_-]+$/i);

export const objectRoutes = [
  route({
    method: 'GET',
    path: '/objects',
    handle: ({ world }) => ({ data: world.objects.map((object) => renderObject(world, object)) }),
  }),
  route({
    method: 'POST',
    path: '/objects',
    body: data(z.object({ api_slug: slug, singular_noun: noun, plural_noun: noun })),
    handle({ world, body, stamp }) {
      const { api_slug, singular_noun, plural_noun } = body.data;
      const taken = world.objects.some(
        (one) => one.slug === api_slug || one.singular === singular_noun || one.plural === plural_noun,
      );
      if (taken) {
        const message = 'Failed to create object. Please ensure your api_slug and names are unique.';
        throw new AttioError(409, 'slug_conflict', message);
      }
      const object = newObject(
        world,
        { slug: api_slug, singular: singular_noun, plural: plural_noun },
        stamp().at,
      );
      return { data: renderObject(world, object) };
    },
  }),
  route({
    method: 'GET',
    path: '/objects/{object}',
    handle: (call) => ({ data: renderObject(call.world, call.world.object(param(call, 'object'))) }),
  }),
  route({
    method: 'PATCH',
    path: '/objects/{object}',
    body: data(
      z.object({ api_slug: slug.optional(), singular_noun: noun.optional(), plural_noun: noun.optional() }),
    ),
    handle(call) {
      const object = call.world.object(param(call, 'object'));
      const { api_slug, singular_noun, plural_noun } = call.body.data;
      if (api_slug === undefined && singular_noun === undefined && plural_noun === undefined) {
        throw invalid(
          'You passed an empty payload. Please ensure you are updating at least one property in your request.',
        );
      }
      if (
        api_slug !== undefined &&
        call.world.objects.some((one) => one !== object && one.slug === api_slug)
      ) {
        throw new AttioError(
          409,
          'slug_conflict',
          'Failed to update object. Please ensure api_slug is unique.',
        );
      }
      object.slug = api_slug ?? object.slug;
      object.singular = singular_noun ?? object.singular;
      object.plural = plural_noun ?? object.plural;
      return { data: renderObject(call.world, object) };
    },
  }),
];
