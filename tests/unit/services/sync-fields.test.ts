import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readValues } from '../../../src/attio/values/read.ts';
import type { Json } from '../../../src/domain/json.ts';
import { keySlugs } from '../../../src/domain/mapping.ts';
import { type MappingSettings, resolveMapping } from '../../../src/domain/mapping-rules.ts';
import type { Transform } from '../../../src/domain/transforms.ts';
import { inputFor, shownInput } from '../../../src/services/sync/fields.ts';
import { Mapping } from '../../../src/services/sync/mapping.ts';

const transform: Transform = { kind: 'map', table: { gold: 'Gold customer', tin: 'Tin', none: 'None' } };
const word = fc.constantFrom('gold', 'tin', 'none');

/** Every form that a field is written in. */
const input: fc.Arbitrary<Json> = fc.oneof(
  fc.constant(null),
  word,
  fc.array(word),
  fc.array(word).map((replace) => ({ replace })),
);

function mapping(settings: MappingSettings): Mapping {
  const { mappings, faults } = resolveMapping(settings, keySlugs('external_id'));
  expect(faults).toEqual([]);
  return new Mapping({ dealKey: 'external_id', mappings });
}

describe('a field with a table', () => {
  it('shows what is to be written as it was asked for, in every form', () => {
    fc.assert(
      fc.property(input, (given) => {
        const converted = inputFor({ transform }, given);
        expect('value' in converted && shownInput({ transform }, converted.value)).toEqual(given);
      }),
    );
  });

  it('shows the same while it is on its way and when Attio has it', () => {
    const people = { tier: { attribute: 'tier', transform }, jobTitle: { attribute: 'role' } } as const;
    const made = mapping({ people });
    fc.assert(
      fc.property(word, fc.string({ minLength: 1 }), (tier, role) => {
        const written = inputFor({ transform }, tier);
        const theirs = 'value' in written ? written.value : null;
        const pending = made.overlay('people', made.blank('people'), [{ tier: theirs, role }]);
        const option = { option: { id: { option_id: 'o' }, title: theirs }, attribute_type: 'select' };
        const values = { tier: [option], role: [{ value: role, attribute_type: 'text' }] };
        const plain = {
          tier: readValues({ type: 'select', is_multiselect: false }, values.tier),
          role: readValues({ type: 'text', is_multiselect: false }, values.role),
        };
        const synced = made.facts('people', values, plain);
        expect(synced).toEqual(pending);
        expect(synced).toMatchObject({ jobTitle: role, fields: { tier } });
      }),
    );
  });
});

describe('facts without a mapping', () => {
  it('have no fields', () => {
    const made = mapping({});
    for (const kind of ['people', 'companies', 'deals'] as const) {
      expect(made.blank(kind)).not.toHaveProperty('fields');
      expect(made.facts(kind, {}, {})).not.toHaveProperty('fields');
    }
  });
});
