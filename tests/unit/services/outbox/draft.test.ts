import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FieldRule, fieldOf, isWritten, keySlugs } from '../../../../src/domain/mapping.ts';
import { type MappingSettings, resolveMapping } from '../../../../src/domain/mapping-rules.ts';
import type { ContactInput } from '../../../../src/services/inputs.ts';
import type { Draft } from '../../../../src/services/outbox/draft.ts';
import { contactDraft } from '../../../../src/services/outbox/intents.ts';
import { Mapping } from '../../../../src/services/sync/mapping.ts';

const KEYS = keySlugs('external_id');
const EMAIL = 'ada@example.com';

const direction = fc.constantFrom('in', 'out', 'both', 'none');
const owner = fc.constantFrom('attio', 'local', 'shared');
const ways = fc.record({ direction, owner }, { requiredKeys: [] });
const people = fc.record(
  {
    firstName: ways,
    lastName: ways,
    phone: ways,
    jobTitle: ways.map((given) => ({ ...given, attribute: 'role' })),
    company: ways,
    externalId: fc.constant({ attribute: 'erp_id' }),
    tier: ways.map((given) => ({ ...given, attribute: 'customer_tier' })),
  },
  { requiredKeys: [] },
);

const text = fc.constantFrom('x', null);
const input: fc.Arbitrary<ContactInput> = fc.record(
  {
    email: fc.constant(EMAIL),
    firstName: text,
    lastName: text,
    phone: text,
    jobTitle: text,
    company: fc.constantFrom({ domain: 'example.com' }, { recordId: 'r' }, null),
    externalId: text,
    fields: fc.constantFrom({}, { tier: 'x' }, { tier: null }, { other: 'x' }),
    attributes: fc.constantFrom({}, { phone_numbers: ['x'] }, { customer_tier: 'x' }, { description: 'x' }),
  },
  { requiredKeys: ['email'] },
);

function drafted(settings: MappingSettings['people'], given: ContactInput) {
  const { mappings, faults } = resolveMapping({ people: settings }, KEYS);
  fc.pre(faults.length === 0);
  const draft = contactDraft(new Mapping({ dealKey: 'external_id', mappings }), given);
  return { draft, rules: mappings.people };
}

function writtenIn({ intent, references }: Draft): string[] {
  return [...Object.keys(intent), ...references.map(({ field }) => field)];
}

function askedFor({ form, name }: FieldRule, given: ContactInput): unknown {
  return form === 'custom' ? given.fields?.[name] : given[name as keyof ContactInput];
}

const TIMES = { numRuns: 2_000 };

describe('a draft', () => {
  it('without a fault holds nothing that is not to be written, and all else that was asked for', () => {
    fc.assert(
      fc.property(people, input, (settings, given) => {
        const { draft, rules } = drafted(settings, given);
        fc.pre(draft.faults.length === 0);
        const written = writtenIn(draft);
        const [mine, others] = [rules.filter(isWritten), rules.filter((rule) => !isWritten(rule))];
        for (const rule of others) expect(written).not.toContain(fieldOf(rule));
        const asked = mine.filter((rule) => askedFor(rule, given) !== undefined);
        expect(written).toEqual(expect.arrayContaining(asked.map(fieldOf)));
        expect(draft.intent['email_addresses']).toEqual([EMAIL]);
      }),
      TIMES,
    );
  });

  it('names as faults only what was asked for', () => {
    fc.assert(
      fc.property(people, input, (settings, given) => {
        const { draft } = drafted(settings, given);
        const asked = [given, given.fields ?? {}, given.attributes ?? {}].flatMap((part) =>
          Object.keys(part),
        );
        const named = draft.faults.map(({ path }) => path.split('/').at(-1));
        expect(asked).toEqual(expect.arrayContaining(named));
      }),
      TIMES,
    );
  });
});
