import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  attributeFault,
  DEFAULT_MAPPINGS,
  type FieldRule,
  fieldOf,
  isRead,
  isWritten,
  keySlugs,
  ownerPolicy,
} from '../../../src/domain/mapping.ts';
import { type MappingSettings, resolveMapping } from '../../../src/domain/mapping-rules.ts';
import { isInvertible } from '../../../src/domain/transforms.ts';

const KEYS = keySlugs('external_id');

function faults(settings: MappingSettings): string[] {
  return resolveMapping(settings, KEYS).faults.map(({ at, problem }) => `${at.join('.')}: ${problem}`);
}

function rule(settings: MappingSettings, name: string): FieldRule {
  const found = resolveMapping(settings, KEYS).mappings.people.find((each) => each.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

describe('the mapping', () => {
  it('is as it always was when nothing is said', () => {
    expect(resolveMapping({}, KEYS)).toEqual({ mappings: DEFAULT_MAPPINGS, faults: [] });
  });

  test.each<[string, MappingSettings['people'], Partial<FieldRule>]>([
    [
      'jobTitle',
      { jobTitle: { attribute: 'role' } },
      { attribute: 'role', direction: 'both', owner: 'shared' },
    ],
    ['phone', { phone: { direction: 'in' } }, { attribute: 'phone_numbers', owner: 'attio' }],
    ['externalId', { externalId: { attribute: 'erp_id' } }, { direction: 'out', owner: 'local' }],
    ['tier', { tier: { attribute: 'customer_tier' } }, { form: 'custom', direction: 'both' }],
    ['firstName', { firstName: { attribute: 'given_name' } }, { form: 'text', attribute: 'given_name' }],
    ['lastName', { firstName: { attribute: 'given_name' } }, { form: 'half', attribute: 'name' }],
    ['notes_2', { notes_2: { attribute: 'notes', direction: 'out' } }, { owner: 'local' }],
  ])('makes of %s what is said of it', (name, people, expected) => {
    expect(faults({ people })).toEqual([]);
    expect(rule({ people }, name)).toMatchObject(expected);
  });

  test.each<[string, MappingSettings, string]>([
    ['a key', { people: { email: { attribute: 'x' } } }, 'people.email: is what people are found by'],
    [
      'another key',
      { deals: { externalId: { attribute: 'x' } } },
      'deals.externalId: is what deals are found by',
    ],
    ['a name in another spelling', { people: { job_title: { attribute: 'x' } } }, 'did you mean jobTitle?'],
    ['no name', { people: { 'Tier 1': { attribute: 'x' } } }, 'people.Tier 1: is no name for a field'],
    ['no attribute', { people: { tier: {} } }, 'people.tier.attribute: is missing'],
    ['no attribute for our id', { people: { externalId: {} } }, 'people.externalId.attribute: is missing'],
    [
      'our id from Attio',
      { people: { externalId: { attribute: 'x', direction: 'both' } } },
      'direction: must be out',
    ],
    [
      'our id, left out',
      { companies: { externalId: { attribute: 'x', direction: 'none' } } },
      'companies.externalId.direction: must be out',
    ],
    ['what every deal has', { deals: { stage: { direction: 'in' } } }, 'deals.stage.direction: must be both'],
    ['the same, left out', { deals: { name: { direction: 'none' } } }, 'deals.name.direction: must be both'],
    ['the same, of Attio', { deals: { name: { owner: 'attio' } } }, 'deals.name.owner: cannot be attio'],
    [
      'a phone out',
      { people: { phone: { direction: 'out' } } },
      'people.phone.direction: must be in, both or none',
    ],
    ['in, and ours', { people: { jobTitle: { direction: 'in', owner: 'local' } } }, 'exclude each other'],
    [
      'out, and theirs',
      { people: { jobTitle: { direction: 'out', owner: 'attio' } } },
      'cannot be attio: it is only',
    ],
    [
      'the address',
      { people: { tier: { attribute: 'email_addresses' } } },
      'cannot be email_addresses: records are',
    ],
    [
      'an attribute that a field has',
      { people: { tier: { attribute: 'job_title' } } },
      'that of jobTitle already',
    ],
    [
      'one attribute twice',
      { people: { a: { attribute: 'x' }, b: { attribute: 'x' } } },
      'people.b.attribute: is x',
    ],
    ['half a name twice', { people: { jobTitle: { attribute: 'name' } } }, 'that of firstName already'],
    [
      'both ways, not to be undone',
      { people: { jobTitle: { transform: { kind: 'trim' } } } },
      'trim cannot be undone',
    ],
    [
      'a transform of a phone',
      { people: { phone: { direction: 'in', transform: { kind: 'trim' } } } },
      'is not for',
    ],
    [
      'a number of a text',
      { people: { jobTitle: { transform: { kind: 'scale', by: 10 } } } },
      'scale is for numbers',
    ],
    [
      'an empty table',
      { people: { tier: { attribute: 'x', transform: { kind: 'map', table: {} } } } },
      'people.tier.transform.map: is empty',
    ],
    [
      'two words for one value',
      { people: { tier: { attribute: 'x', transform: { kind: 'map', table: { a: 'Gold', b: ' GOLD' } } } } },
      'people.tier.transform.map.b: is what a is, too',
    ],
    [
      'a text that is a number',
      { people: { jobTitle: { transform: { kind: 'map', table: { a: 1 } } } } },
      'people.jobTitle.transform.map.a: must be a text',
    ],
  ])('says what is wrong with %s', (_, settings, expected) => {
    const found = faults(settings);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  it('lists everything at once', () => {
    const settings: MappingSettings = {
      people: { tier: {}, phone: { direction: 'out' } },
      companies: { domain: { attribute: 'x' } },
      deals: { stage: { direction: 'none' } },
    };
    expect(faults(settings).map((line) => line.split(':')[0])).toEqual([
      'people.tier.attribute',
      'people.phone.direction',
      'companies.domain',
      'deals.stage.direction',
    ]);
  });

  it('lets another field have the attribute of one that is left out', () => {
    const people = { position: { attribute: 'job_title' }, jobTitle: { direction: 'none' } } as const;
    expect(faults({ people })).toEqual([]);
    const { people: rules } = resolveMapping({ people }, KEYS).mappings;
    expect(attributeFault(rules, 'job_title')).toContain('send it as fields.position');
  });

  it('hides what is left out, and says why it is not taken', () => {
    const { people } = resolveMapping({ people: { company: { direction: 'none' } } }, KEYS).mappings;
    expect(attributeFault(people, 'company')).toContain('left out');
    expect(attributeFault(people, 'name')).toContain('send it as firstName and lastName');
    expect(attributeFault(people, 'phone_numbers')).toBeNull();
    expect(attributeFault(people, 'description')).toBeNull();
  });

  it('chooses the policy of a field by its owner', () => {
    const people = {
      jobTitle: { owner: 'local' },
      phone: { direction: 'in' },
      lastName: { owner: 'local' },
    } as const;
    const { people: rules } = resolveMapping({ people }, KEYS).mappings;
    const policy = (field: string) => ownerPolicy(rules, field);
    expect(
      ['job_title', 'name.lastName', 'phone_numbers', 'name.firstName', 'description'].map(policy),
    ).toEqual(['local-wins', 'local-wins', 'attio-wins', null, null]);
  });

  it('that has no fault keeps its promises, whatever is said', () => {
    const name = fc.constantFrom(
      'firstName',
      'lastName',
      'phone',
      'jobTitle',
      'company',
      'externalId',
      'tier',
      'x_1',
    );
    const slug = fc.constantFrom(
      'name',
      'job_title',
      'role',
      'phone_numbers',
      'company',
      'erp_id',
      'email_addresses',
    );
    const transform = fc.constantFrom(
      { kind: 'trim' } as const,
      { kind: 'map', table: { a: 'A', b: 'B' } } as const,
      { kind: 'scale', by: 100 } as const,
    );
    const setting = fc.record(
      {
        attribute: slug,
        direction: fc.constantFrom('in', 'out', 'both', 'none'),
        owner: fc.constantFrom('attio', 'local', 'shared'),
        transform,
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.dictionary(name, setting), (people) => {
        const { mappings, faults: found } = resolveMapping({ people }, KEYS);
        fc.pre(found.length === 0);
        const living = mappings.people.filter(({ direction }) => direction !== 'none');
        const fields = living.map(fieldOf);
        expect(new Set(fields).size).toBe(fields.length);
        expect(fields).not.toContain('email_addresses');
        for (const each of living) {
          expect(isRead(each) || isWritten(each)).toBe(true);
          if (isRead(each) && isWritten(each) && each.transform !== null) {
            expect(isInvertible(each.transform)).toBe(true);
          }
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
