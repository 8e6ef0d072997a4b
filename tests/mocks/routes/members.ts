import { notFound } from '../core/errors.ts';
import type { Member } from '../core/types.ts';
import type { World } from '../state/world.ts';
import { param, route } from './router.ts';

function render(world: World, member: Member): Record<string, unknown> {
  return {
    id: { workspace_id: world.workspace.id, workspace_member_id: member.id },
    first_name: member.firstName,
    last_name: member.lastName,
    avatar_url: null,
    email_address: member.email,
    created_at: member.createdAt,
    access_level: member.accessLevel,
  };
}

export const memberRoutes = [
  route({
    method: 'GET',
    path: '/workspace_members',
    handle: ({ world }) => ({ data: world.members.map((member) => render(world, member)) }),
  }),
  route({
    method: 'GET',
    path: '/workspace_members/{workspace_member_id}',
    handle(call) {
      const id = param(call, 'workspace_member_id');
      const member = call.world.members.find((one) => one.id === id);
      if (member === undefined) throw notFound(`Workspace member with ID "${id}" not found.`);
      return { data: render(call.world, member) };
    },
  }),
];
