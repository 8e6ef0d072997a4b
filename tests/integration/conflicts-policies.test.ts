import { afterEach, describe, expect, test } from 'vitest';
import { CONFLICT_POLICIES, type ConflictPolicy } from '../../src/domain/conflict-policies.ts';
import { agreedAda, apart, EMAIL, edit, listed, startWith } from '../support/conflicts.ts';
import { takeViolations } from '../support/exchanges.ts';
import { attio, contact, created, outage, put, putCompany, recovered } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

/** What stands in Attio, what our side shows, and what is on record, when theirs came first and when ours did. */
const EXPECTED: Readonly<Record<ConflictPolicy, Readonly<Record<'theirs first' | 'ours first', string>>>> = {
  'last-write-wins': {
    'theirs first': 'Ours Ours local last-write-wins',
    'ours first': 'Theirs Theirs attio last-write-wins',
  },
  'attio-wins': {
    'theirs first': 'Theirs Theirs attio attio-wins',
    'ours first': 'Theirs Theirs attio attio-wins',
  },
  'local-wins': { 'theirs first': 'Ours Ours local local-wins', 'ours first': 'Ours Ours local local-wins' },
  manual: { 'theirs first': 'Theirs Ours null manual', 'ours first': 'Theirs Ours null manual' },
};

describe.each(CONFLICT_POLICIES)(
  'under %s, when both sides have changed a field while Attio was away',
  (policy) => {
    test.each(['theirs first', 'ours first'] as const)('%s', async (order) => {
      await using service = await startWith({ policy });
      const recordId = await apart(service);
      const theirs = () => edit(service, recordId, { job_title: 'Theirs' });
      if (order === 'theirs first') theirs();
      const { body } = await put(service, {
        email: EMAIL,
        jobTitle: 'Ours',
        attributes: { internal_comment: 'Ours' },
      });
      if (order === 'ours first') theirs();
      await recovered(service);
      const [one, ...others] = await listed(service);
      const { job_title, internal_comment } = attio(service, recordId);
      const { jobTitle } = await contact(service, body.data.id);
      expect(`${job_title} ${jobTitle} ${one?.decided} ${one?.reason}`).toBe(EXPECTED[policy][order]);
      expect(one).toMatchObject({ field: 'job_title', base: 'Agreed', local: 'Ours', attio: 'Theirs' });
      expect([internal_comment, others]).toEqual([['Ours'], []]);
    });
  },
);

test('the rule of a field goes before that of its object, and that before the common one', async () => {
  await using service = await startWith({
    policy: 'local-wins',
    objects: {
      people: {
        policy: 'attio-wins',
        fields: { job_title: 'manual', 'name.lastName': 'local-wins', name: 'attio-wins' },
      },
      companies: {},
    },
  });
  const recordId = await agreedAda(service);
  const companyId = created(service, 'companies', { domains: ['both.example'], name: 'Agreed' });
  await service.sync('companies');
  await outage(service);
  await put(service, {
    email: EMAIL,
    jobTitle: 'Ours',
    firstName: 'Ours',
    lastName: 'Ours',
    attributes: { internal_comment: 'Ours' },
  });
  await putCompany(service, { domain: 'both.example', name: 'Ours' });
  const theirs = [{ first_name: 'Theirs', last_name: 'Theirs', full_name: 'Theirs Theirs' }];
  edit(service, recordId, { job_title: 'Theirs', name: theirs, internal_comment: 'Theirs' });
  edit(service, companyId, { name: 'Theirs' }, 'companies');
  await recovered(service);
  expect(attio(service, recordId)).toMatchObject({
    job_title: ['Theirs'],
    name: [['Theirs', 'Ours']],
    internal_comment: ['Theirs'],
  });
  expect(attio(service, companyId, 'companies')['name']).toEqual(['Ours']);
  const decided = (await listed(service)).map(
    ({ object, field, decided: side }) => `${object} ${field} ${side}`,
  );
  expect(decided.sort()).toEqual([
    'companies name local',
    'people internal_comment attio',
    'people job_title null',
    'people name.firstName attio',
    'people name.lastName local',
  ]);
});

describe('within the tolerance', () => {
  test.each(['theirs first', 'ours first'])(
    "Attio's value stands, and both are on record: %s",
    async (order) => {
      await using service = await startWith({ toleranceMs: 60_000 });
      const recordId = await apart(service);
      if (order === 'theirs first') edit(service, recordId, { job_title: 'Theirs' });
      await put(service, { email: EMAIL, jobTitle: 'Ours' });
      if (order === 'ours first') edit(service, recordId, { job_title: 'Theirs' });
      await recovered(service);
      expect(attio(service, recordId)['job_title']).toEqual(['Theirs']);
      expect(await listed(service)).toMatchObject([
        { decided: 'attio', reason: 'concurrent', local: 'Ours', attio: 'Theirs' },
      ]);
    },
  );
});
