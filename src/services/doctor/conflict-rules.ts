import { type ConflictRules, listScope } from '../../domain/conflict-policies.ts';
import { nearest } from '../../domain/nearest.ts';
import { NAME_HALVES } from '../../domain/outbox.ts';
import { type AttioSubject, troubled } from './attio.ts';
import { all, type Check, failed, ok } from './check.ts';

export interface RulesSubject extends Pick<AttioSubject, 'client'> {
  readonly rules: ConflictRules;
}

const ID = 'conflict-policies';
const MEND = 'Correct it under "conflicts" in config/attio.*.json.';
const ASK = { retry: false, timeoutMs: 5_000, priority: 1 } as const;

/** The members of a task that can be changed. */
const TASK_MEMBERS = ['assignees', 'deadlineAt', 'isCompleted'];
const PEOPLE = 'people';
const LIST = /^lists\/(.+)$/;

/** One check per rule that names what the workspace does not have, and so never holds; or one for all. */
export async function checkConflictRules({ client, rules }: RulesSubject): Promise<Check[]> {
  try {
    const faults: Check[] = [];
    for (const [scope, { fields = {} }] of Object.entries(rules.objects)) {
      const known = await fieldsOf(client, scope);
      if (known === null)
        faults.push(failed(ID, `a conflict policy names ${scope}, which the workspace lacks`, MEND));
      const strange = known === null ? [] : Object.keys(fields).filter((field) => !known.includes(field));
      faults.push(...strange.map((field) => failed(ID, wordsFor(scope, field, known ?? []), MEND)));
    }
    if (faults.length > 0) return faults;
    const own = all(Object.keys(rules.objects));
    return [ok(ID, `conflicts go by ${rules.policy}, with rules of their own for ${own}`)];
  } catch (error) {
    return [troubled(ID, error)];
  }
}

function wordsFor(scope: string, field: string, known: readonly string[]): string {
  const meant = nearest(field, known);
  const hint = meant === null ? '' : ` Did you mean "${meant}"?`;
  return `a conflict policy names the field "${field}" of ${scope}, which it does not have.${hint}`;
}

/** @returns null when the workspace has no such object or list */
async function fieldsOf(client: AttioSubject['client'], scope: string): Promise<readonly string[] | null> {
  if (scope === 'tasks') return TASK_MEMBERS;
  const target = await targetOf(client, scope);
  if (target === null) return null;
  const attributes = await client.attributes.all(target, ASK);
  return [...attributes.map(({ api_slug: slug }) => slug), ...(scope === PEOPLE ? NAME_HALVES : [])];
}

async function targetOf(client: AttioSubject['client'], scope: string) {
  const slug = LIST.exec(scope)?.[1];
  if (slug === undefined) {
    const { data } = await client.objects.list(ASK);
    const isThere = data.some(({ api_slug: known }) => known === scope);
    return isThere ? ({ target: 'objects', identifier: scope } as const) : null;
  }
  const { data } = await client.lists.list(ASK);
  const list = data.find(({ api_slug: known }) => listScope(known ?? '') === scope);
  return list === undefined ? null : ({ target: 'lists', identifier: list.id.list_id } as const);
}
