import { stableUuid } from './core/random.ts';
import type { TokenState } from './routes/router.ts';
import { ALL_SCOPES } from './scopes.ts';

/** Any token is live unless revoked; each stands for an API-token actor of its own, the same in every run. */
export class Tokens {
  readonly #revoked = new Set(['revoked']);

  readonly #scopes = new Map<string, readonly string[]>();

  /** @param scopes all that the token may do; left out: everything */
  set(token: string, active: boolean, scopes: readonly string[] = ALL_SCOPES): void {
    this.#scopes.set(token, scopes);
    if (active) this.#revoked.delete(token);
    else this.#revoked.add(token);
  }

  read(authorization: string | undefined): TokenState {
    const token = tokenOf(authorization);
    if (token === null) {
      return { kind: 'missing', actor: { type: 'api-token', id: null }, clientId: '', scopes: [] };
    }
    return {
      kind: this.#revoked.has(token) ? 'revoked' : 'live',
      actor: { type: 'api-token', id: stableUuid(`token ${token}`) },
      clientId: stableUuid(`client ${token}`),
      scopes: this.#scopes.get(token) ?? ALL_SCOPES,
    };
  }
}

/** `Bearer x`, or Basic with the token as the user. */
function tokenOf(authorization: string | undefined): string | null {
  const [scheme = '', value = ''] = (authorization ?? '').trim().split(/\s+/, 2);
  if (value === '') return null;
  if (scheme.toLowerCase() === 'bearer') return value;
  if (scheme.toLowerCase() !== 'basic') return null;
  const [user = ''] = Buffer.from(value, 'base64').toString('utf8').split(':', 1);
  return user === '' ? null : user;
}
