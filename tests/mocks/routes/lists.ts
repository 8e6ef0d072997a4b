import { z } from 'zod';
import { AttioError, invalid, notFound, valueNotFound } from '../core/errors.ts';
import { renderList } from '../state/render.ts';
import { newList } from '../state/structure.ts';
import type { AttioList, World } from '../state/world.ts';
import { type Call, param, route } from './router.ts';
import { data, uuid } from './schemas.ts';

const level = z.enum(['full-access', 'read-and-write', 'read-only']);
const memberAccess = z.array(z.object({ workspace_member_id: uuid, level }));
const slug = z.string().min(1);

function checkSlug(world: World, wanted: string, except?: AttioList): void {
  if (!world.lists.some((list) => list !== except && list.slug === wanted)) return;
  throw new AttioError(409, 'slug_conflict', `A list with api_slug "${wanted}" already exists.`);
}

function checkAccess(world: World, access: string | null, members: z.output<typeof memberAccess>): void {
  for (const { workspace_member_id: id } of members) {
    if (world.member(id) === undefined) throw valueNotFound(`Workspace member with ID "${id}" not found.`);
  }
  if (access === 'full-access' || members.some((one) => one.level === 'full-access')) return;
  throw invalid('Someone must have full access: set workspace_access or one of workspace_member_access.');
}

const found = (call: Call) => call.world.list(param(call, 'list'));

export const listRoutes = [
  route({
    method: 'GET',
    path: '/lists',
    handle: ({ world }) => ({ data: world.lists.map((list) => renderList(world, list)) }),
  }),
  route({
    method: 'POST',
    path: '/lists',
    body: data(
      z.object({
        name: z.string(),
        api_slug: slug,
        parent_object: z.string(),
        workspace_access: level.nullable(),
        workspace_member_access: memberAccess,
      }),
    ),
    handle({ world, body, stamp }) {
      const { name, api_slug, parent_object, workspace_access, workspace_member_access } = body.data;
      const parent = world.findObject(parent_object);
      if (parent === undefined) throw notFound(`Parent object with slug/ID "${parent_object}" not found.`);
      checkSlug(world, api_slug);
      checkAccess(world, workspace_access, workspace_member_access);
      const { at, actor } = stamp();
      const access = { workspaceAccess: workspace_access, memberAccess: workspace_member_access };
      const list = newList(world, { slug: api_slug, name, parent, createdBy: actor, ...access }, at);
      world.emit('list.created', { list_id: list.id }, actor);
      return { data: renderList(world, list) };
    },
  }),
  route({
    method: 'GET',
    path: '/lists/{list}',
    handle: (call) => ({ data: renderList(call.world, found(call)) }),
  }),
  route({
    method: 'PATCH',
    path: '/lists/{list}',
    body: data(
      z.object({
        name: z.string().optional(),
        api_slug: slug.optional(),
        workspace_access: level.nullable().optional(),
        workspace_member_access: memberAccess.optional(),
      }),
    ),
    handle(call) {
      const list = found(call);
      const { name, api_slug, workspace_access, workspace_member_access } = call.body.data;
      const access = workspace_access === undefined ? list.workspaceAccess : workspace_access;
      if (api_slug !== undefined) checkSlug(call.world, api_slug, list);
      for (const { workspace_member_id: id } of workspace_member_access ?? []) {
        if (call.world.member(id) === undefined)
          throw valueNotFound(`Workspace member with ID "${id}" not found.`);
      }
      list.name = name ?? list.name;
      list.slug = api_slug ?? list.slug;
      list.workspaceAccess = access;
      list.memberAccess = workspace_member_access ?? list.memberAccess;
      call.world.emit('list.updated', { list_id: list.id }, call.stamp().actor);
      return { data: renderList(call.world, list) };
    },
  }),
];
