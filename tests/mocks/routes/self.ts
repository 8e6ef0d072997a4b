import { AttioError } from '../core/errors.ts';
import { route } from './router.ts';

/** Never 401: an unknown token is simply not active. The one answer without `{data}`. */
export const selfRoutes = [
  route({
    method: 'GET',
    path: '/self',
    open: true,
    handle({ world, token }) {
      if (token.kind === 'missing')
        throw new AttioError(400, 'missing_value', 'No access token was provided.');
      if (token.kind === 'revoked') return { active: false };
      const { workspace, members } = world;
      return {
        active: true,
        scope: token.scopes.join(' '),
        client_id: token.clientId,
        token_type: 'Bearer',
        exp: null,
        iat: Math.floor(Date.parse(members[0]?.createdAt ?? '') / 1000),
        sub: workspace.id,
        aud: token.clientId,
        iss: 'attio.com',
        authorized_by_workspace_member_id: members[0]?.id,
        workspace_id: workspace.id,
        workspace_name: workspace.name,
        workspace_slug: workspace.slug,
        workspace_logo_url: null,
        token_level: 'workspace',
      };
    },
  }),
];
