import { describe, expect, it, test } from 'vitest';
import type { Attribute } from '../../../../src/attio/types.ts';
import { DEFAULT_MAPPINGS, keySlugs } from '../../../../src/domain/mapping.ts';
import { type FieldSetting, resolveMapping } from '../../../../src/domain/mapping-rules.ts';
import type { KnownChoice } from '../../../../src/services/choices.ts';
import { ServiceError } from '../../../../src/services/errors.ts';
import { judgeFields } from '../../../../src/services/mapping/judge.ts';
import { MappingWatch } from '../../../../src/services/mapping/watch.ts';
import { createSandbox } from '../../../mocks/sandbox.ts';

const sandbox = createSandbox({ people: 0, companies: 0, deals: 0 });

function attributes(object: 'people' | 'companies' | 'deals'): Attribute[] {
  return sandbox.act({ method: 'GET', path: `/objects/${object}/attributes?limit=200` }) as Attribute[];
}

function mappings(kind: string, fields: Record<string, FieldSetting>) {
  const { mappings: made, faults } = resolveMapping({ [kind]: fields }, keySlugs('external_id'));
  expect(faults).toEqual([]);
  return made;
}

function problems(kind: 'people' | 'companies' | 'deals', fields: Record<string, FieldSetting>): string[] {
  return judgeFields(kind, mappings(kind, fields)[kind], attributes(kind)).map(
    ({ field, problem }) => `${field}: ${problem}`,
  );
}

describe('a mapping against a workspace', () => {
  it('asks for nothing when nothing is configured, whatever the workspace has', () => {
    for (const kind of ['people', 'companies', 'deals'] as const) {
      expect(judgeFields(kind, DEFAULT_MAPPINGS[kind], [])).toEqual([]);
    }
  });

  test.each<['people' | 'companies' | 'deals', Record<string, FieldSetting>]>([
    ['people', { jobTitle: { attribute: 'internal_comment' } }],
    ['people', { jobTitle: { attribute: 'lead_source' } }],
    ['people', { tier: { attribute: 'avatar_url', direction: 'in' } }],
    ['people', { company: { attribute: 'referred_by' } }],
    ['people', { score: { attribute: 'lead_score', transform: { kind: 'scale', by: 10 } } }],
    ['people', { externalId: { attribute: 'lead_score' } }],
    [
      'people',
      { phone: { direction: 'in' }, lastName: { direction: 'none' }, firstName: { owner: 'local' } },
    ],
    ['companies', { budget: { attribute: 'annual_budget', transform: { kind: 'scale', by: 100 } } }],
    ['deals', { value: { direction: 'none' } }],
  ])('of %s, %j fits', (kind, fields) => {
    expect(problems(kind, fields)).toEqual([]);
  });

  test.each<['people' | 'companies' | 'deals', string, FieldSetting, RegExp]>([
    ['people', 'jobTitle', { attribute: 'rle' }, /have no attribute "rle"$/],
    [
      'people',
      'tier',
      { attribute: 'lead_sorce' },
      /have no attribute "lead_sorce"; did you mean "lead_source"\?$/,
    ],
    ['people', 'tier', { attribute: 'avatar_url' }, /cannot be written: Attio sets it itself$/],
    ['people', 'jobTitle', { attribute: 'vip' }, /is of type checkbox, and this field takes text, /],
    [
      'people',
      'phone',
      { attribute: 'internal_comment' },
      /is of type text, and this field takes phone-number$/,
    ],
    [
      'people',
      'company',
      { attribute: 'lead_source' },
      /is of type select, and this field takes record-reference$/,
    ],
    ['people', 'externalId', { attribute: 'vip' }, /is of type checkbox, and this field takes text, number$/],
    ['people', 'firstName', { attribute: 'interests' }, /holds several values, and this field one$/],
    [
      'people',
      'x',
      { attribute: 'vip', transform: { kind: 'scale', by: 10 } },
      /is of type checkbox, and scale is/,
    ],
    ['deals', 'contactEmails', { attribute: 'associated_company' }, /already/],
    ['deals', 'value', { attribute: 'external_ids' }, /have no attribute "external_ids"; did you mean/],
  ])('of %s, %s as %j does not: the fault is named', (kind, name, setting, words) => {
    const { mappings: made, faults } = resolveMapping(
      { [kind]: { [name]: setting } },
      keySlugs('external_id'),
    );
    const said = [
      ...faults.map(({ problem }) => problem),
      ...judgeFields(kind, made[kind], attributes(kind)).map(({ problem }) => problem),
    ];
    expect(
      said.some((problem) => words.test(problem)),
      said.join(),
    ).toBe(true);
  });

  it('says that an attribute is archived, where that is known', () => {
    const archived = attributes('people').map((attribute) =>
      attribute.api_slug === 'internal_comment' ? { ...attribute, is_archived: true } : attribute,
    );
    const [trouble] = judgeFields(
      'people',
      mappings('people', { jobTitle: { attribute: 'internal_comment' } }).people,
      archived,
    );
    expect(trouble?.problem).toBe('the attribute "internal_comment" is archived');
  });
});

describe('the watch over a mapping', () => {
  const tier: FieldSetting = {
    attribute: 'lead_source',
    transform: { kind: 'map', table: { web: 'Webseite' } },
  };

  function watch(choices: () => Promise<KnownChoice[]>) {
    const told: string[][] = [];
    const made = new MappingWatch({
      mappings: mappings('people', { tier, jobTitle: { attribute: 'role' } }),
      choices: { known: choices },
      events: {
        mappingJudged: (_, troubles) => told.push(troubles.map(({ problem }) => problem)),
        unexpected: (_, error) => told.push([String(error)]),
      },
    });
    return { watch: made, told };
  }

  it('tells once what is wrong, and once that it is mended', async () => {
    const options = [{ id: '1', title: 'Website', isArchived: false }];
    const { watch: made, told } = watch(async () => options);
    await made.attributesRead('people', attributes('people'));
    await made.attributesRead('people', attributes('people'));
    await made.attributesRead('companies', attributes('companies'));
    await made.attributesRead('my_object', []);
    const wrong = '"web" stands for "Webseite", which is no option of "lead_source"; did you mean "Website"?';
    const unnamed = 'the table has no word for "Website" of "lead_source": shown as they are';
    expect(told).toEqual([['people have no attribute "role"', wrong, unnamed]]);
    expect(made.faults).toEqual([
      'people.jobTitle: people have no attribute "role"',
      `people.tier: ${wrong}`,
    ]);
    options.splice(0, 1, { id: '1', title: 'webseite', isArchived: false });
    const some = attributes('people').find(({ api_slug: slug }) => slug === 'internal_comment');
    await made.attributesRead('people', [
      ...attributes('people'),
      { ...some, api_slug: 'role', type: 'text' } as Attribute,
    ]);
    expect(told.slice(1)).toEqual([[]]);
    expect(made.faults).toEqual([]);
  });

  it('takes archived options for missing, and ids for options', async () => {
    const { watch: made } = watch(async () => [{ id: 'Webseite', title: 'Other', isArchived: true }]);
    await made.attributesRead('people', attributes('people'));
    expect(made.faults.join()).toContain('which is no option');
    const { watch: byId } = watch(async () => [{ id: 'Webseite', title: 'Other', isArchived: false }]);
    await byId.attributesRead('people', attributes('people'));
    expect(byId.faults.join()).not.toContain('which is no option');
  });

  it('goes by the attributes alone when the options cannot be had, and tells what is a fault of ours', async () => {
    const { watch: made, told } = watch(() => Promise.reject(new ServiceError('unavailable', 'an outage')));
    await made.attributesRead('people', attributes('people'));
    expect(told).toEqual([['people have no attribute "role"']]);
    const broken = watch(() => Promise.reject(new TypeError('a fault of ours')));
    await broken.watch.attributesRead('people', attributes('people'));
    expect(broken.told[0]).toEqual(['TypeError: a fault of ours']);
  });
});
