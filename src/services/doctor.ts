import type { Self } from '../attio/types.ts';
import type { DatabaseState } from '../domain/storage.ts';
import {
  type AttioSubject,
  checkAwaited,
  checkClock,
  checkExternalId,
  checkLists,
  checkMapping,
  checkObjects,
  checkScopes,
  checkToken,
  checkWorkspace,
  mappedKinds,
} from './doctor/attio.ts';
import { type ChangeWebhookSubject, checkChangeWebhooks } from './doctor/change-webhooks.ts';
import { type Check, failed, ok } from './doctor/check.ts';
import { checkConflictRules, type RulesSubject } from './doctor/conflict-rules.ts';
import { judgeDatabase } from './doctor/database.ts';
import { lackingScopes } from './doctor/scopes.ts';
import { checkWebhook, judgeSecret, type WebhookSubject, type WebhookTrust } from './doctor/webhook.ts';

export type { Check };

export interface DatabaseSubject {
  /** Looks, and changes nothing. Never rejects. */
  inspect(): Promise<DatabaseState>;
  /** Makes and migrates it. @returns what was done @throws an error that says why not */
  prepare(): Promise<readonly string[]>;
  /** @throws when it cannot be read */
  trust(): Promise<WebhookTrust>;
}

/** What can be checked. Null: what it needs is configured wrongly, or not at all. */
export interface DoctorDeps {
  readonly database: DatabaseSubject | null;
  /** Null: REDIS_URL is not set. @throws why Redis does not answer */
  readonly pingRedis: (() => Promise<void>) | null;
  readonly attio: (AttioSubject & RulesSubject) | null;
  readonly webhook: WebhookSubject | null;
  readonly changeWebhooks: ChangeWebhookSubject | null;
}

/**
 * Looks at everything that the service stands on, and says how to mend what is wrong.
 *
 * What depends on something that has failed is left out: nothing is said twice.
 */
export class DoctorService {
  readonly #deps: DoctorDeps;

  constructor(deps: DoctorDeps) {
    this.#deps = deps;
  }

  /** @param options.fix also makes what can be made: the database, the attribute of deals, missing events */
  async *run(options: { fix: boolean }): AsyncGenerator<Check> {
    const { check, state } = await this.#checkDatabase(options.fix);
    if (check !== null) yield check;
    yield* this.#checkRedis();
    const { attio, changeWebhooks } = this.#deps;
    if (changeWebhooks !== null) yield* checkChangeWebhooks(changeWebhooks, isReadable(state));
    if (attio === null) return;
    const token = await checkToken(attio);
    yield token.check;
    if (token.self === null) return;
    yield* checkScopes(token.self);
    yield checkWorkspace(token.self, state?.workspaceId ?? null);
    yield* this.#checkSchema(attio, token.self, options.fix);
    yield* this.#checkWebhook(token.self, state, options.fix);
  }

  async #checkDatabase(fix: boolean): Promise<{ check: Check | null; state: DatabaseState | null }> {
    const { database } = this.#deps;
    if (database === null) return { check: null, state: null };
    const state = await database.inspect();
    if (!fix || state.trouble !== null || state.pending.length === 0) {
      return { check: judgeDatabase(state), state };
    }
    try {
      const done = await database.prepare();
      const now = await database.inspect();
      return { check: ok('database', `the database is up to date now: ${done.join(', ')}`), state: now };
    } catch (error) {
      const words = error instanceof Error ? error.message : 'for no known reason';
      return {
        check: failed(
          'database',
          `the database cannot be migrated: ${words}`,
          'Mend what it names, and try again.',
        ),
        state,
      };
    }
  }

  async *#checkRedis(): AsyncGenerator<Check> {
    const { pingRedis } = this.#deps;
    if (pingRedis === null) return;
    yield await pingRedis().then(
      () => ok('redis', 'Redis answers'),
      (error: unknown) =>
        failed(
          'redis',
          `Redis does not answer: ${error instanceof Error ? error.message : 'for no known reason'}`,
          'Start it, or correct REDIS_URL; without it reads go on, but instances do not share their caches.',
        ),
    );
  }

  async *#checkSchema(attio: AttioSubject & RulesSubject, self: Self, fix: boolean): AsyncGenerator<Check> {
    const lacks = lacking(self);
    if (lacks('object_configuration:read')) return;
    const objects = await checkObjects(attio);
    // Answers that tell Attio's clock have come by now.
    yield checkClock(attio);
    yield objects;
    if (attio.lists.length > 0 && !lacks('list_configuration:read')) yield await checkLists(attio);
    yield* this.#checkRules(attio, lacks('list_configuration:read'));
    const lacksEntries = lacks('list_configuration:read') || lacks('list_entry:read-write');
    if (attio.awaited.length > 0 && !lacksEntries) yield* await checkAwaited(attio);
    const mapped = mappedKinds(attio);
    if (mapped.length > 0) yield* await checkMapping(attio, mapped);
    if (attio.externalIdAttribute !== null) {
      yield await checkExternalId(attio, attio.externalIdAttribute, { fix });
    }
  }

  /** Where there are any; those of lists need the scope to see them. */
  async *#checkRules(attio: RulesSubject, lacksLists: boolean): AsyncGenerator<Check> {
    const scopes = Object.keys(attio.rules.objects);
    if (scopes.length === 0 || (lacksLists && scopes.some((scope) => scope.startsWith('lists/')))) return;
    yield* await checkConflictRules(attio);
  }

  async *#checkWebhook(self: Self, state: DatabaseState | null, fix: boolean): AsyncGenerator<Check> {
    const { webhook, database } = this.#deps;
    if (webhook === null) return;
    const trust = isReadable(state) ? await (database?.trust() ?? null) : null;
    if (lacking(self)('webhook:read-write')) {
      // The check of scopes has said what cannot be seen; what deliveries have shown is known all the same.
      const { secrets } = webhook;
      yield* judgeSecret({ hooks: [], secrets, trust }).filter(({ status }) => status !== 'warning');
      return;
    }
    yield* await checkWebhook(webhook, { fix, trust });
  }
}

function isReadable(state: DatabaseState | null): boolean {
  return state?.isOurs === true && state.pending.length === 0;
}

function lacking(self: Self): (scope: string) => boolean {
  const lacks = new Set(lackingScopes(self.scope).map(({ scope }) => scope));
  return (scope) => lacks.has(scope);
}
