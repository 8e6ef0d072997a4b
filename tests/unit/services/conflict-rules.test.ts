import { describe, expect, it } from 'vitest';
import { AttioApiError } from '../../../src/attio/errors.ts';
import { type ConflictRules, policyFor } from '../../../src/domain/conflict-policies.ts';
import { checkConflictRules, type RulesSubject } from '../../../src/services/doctor/conflict-rules.ts';

const RULES: ConflictRules = {
  policy: 'local-wins',
  toleranceMs: 0,
  objects: {
    people: {
      policy: 'attio-wins',
      fields: { job_title: 'manual', name: 'local-wins', 'name.lastName': 'manual' },
    },
    deals: { fields: { stage: 'manual' } },
    'lists/hiring': { policy: 'manual' },
  },
};

describe('the policy of a field', () => {
  it.each([
    ['people', 'job_title', 'manual'],
    ['people', 'description', 'attio-wins'],
    ['people', 'name.firstName', 'local-wins'],
    ['people', 'name.lastName', 'manual'],
    ['deals', 'stage', 'manual'],
    ['deals', 'value', 'local-wins'],
    ['companies', 'name', 'local-wins'],
    ['lists/hiring', 'stage', 'manual'],
    ['lists/other', 'stage', 'local-wins'],
    // Names that every object of JavaScript knows.
    ['constructor', 'toString', 'local-wins'],
    ['people', 'constructor', 'attio-wins'],
  ])('%s %s is %s', (object, field, policy) => {
    expect(policyFor(RULES, object, field)).toBe(policy);
  });
});

/** A workspace with people, one list, and an attribute or two of each. */
function subject(objects: ConflictRules['objects']): RulesSubject {
  const attributes = { objects: ['job_title', 'name'], lists: ['stage'] };
  const client = {
    objects: { list: async () => ({ data: [{ api_slug: 'people' }] }) },
    lists: { list: async () => ({ data: [{ id: { list_id: 'l1' }, api_slug: 'hiring' }] }) },
    attributes: {
      all: async ({ target }: { target: 'objects' | 'lists' }) =>
        attributes[target].map((slug) => ({ api_slug: slug })),
    },
  };
  return { client: client as unknown as RulesSubject['client'], rules: { ...RULES, objects } }; // as much of it as is asked
}

describe("doctor's look at conflict policies", () => {
  it('is content with what the workspace has', async () => {
    const fields = { job_title: 'manual', 'name.firstName': 'manual' } as const;
    const rules = {
      people: { fields },
      'lists/hiring': { fields: { stage: 'manual' } },
      tasks: { fields: { deadlineAt: 'manual' } },
    } as const;
    expect(await checkConflictRules(subject(rules))).toMatchObject([
      {
        status: 'ok',
        message: 'conflicts go by local-wins, with rules of their own for people, lists/hiring and tasks',
      },
    ]);
  });

  it('names each field, object and list that it lacks, with the nearest', async () => {
    const checks = await checkConflictRules(
      subject({
        people: { fields: { job_titel: 'manual' } },
        'lists/hiring': { fields: { value: 'manual' } },
        tasks: { fields: { content: 'manual' } },
        robots: { policy: 'manual' },
        'lists/firing': { policy: 'manual' },
      }),
    );
    expect(checks.map(({ status, message }) => `${status} ${message}`)).toEqual([
      'failed a conflict policy names the field "job_titel" of people, which it does not have. Did you mean "job_title"?',
      'failed a conflict policy names the field "value" of lists/hiring, which it does not have.',
      'failed a conflict policy names the field "content" of tasks, which it does not have.',
      'failed a conflict policy names robots, which the workspace lacks',
      'failed a conflict policy names lists/firing, which the workspace lacks',
    ]);
    expect(checks.every(({ mend }) => mend?.includes('"conflicts" in config'))).toBe(true);
  });

  it('says why it cannot look', async () => {
    const { client, rules } = subject({ people: {} });
    const objects = {
      list: () => Promise.reject(new AttioApiError('timeout', { endpoint: 'GET /objects' })),
    };
    const broken = { ...client, objects } as unknown as RulesSubject['client'];
    expect(await checkConflictRules({ client: broken, rules })).toMatchObject([{ status: 'failed' }]);
  });
});
