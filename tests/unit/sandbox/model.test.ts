import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AttioError } from '../../mocks/core/errors.ts';
import type { Row } from '../../mocks/core/types.ts';
import { compileFilter } from '../../mocks/filters/compile.ts';
import { queryTable } from '../../mocks/filters/query.ts';
import { createSandbox, type Sandbox } from '../../mocks/sandbox.ts';
import type { Table } from '../../mocks/state/table.ts';
import type { World } from '../../mocks/state/world.ts';

type Step = (sandbox: Sandbox) => void;

const nth = (table: Table, index: number): Row | undefined => {
  const rows = [...table.inOrder()];
  return rows[index % Math.max(1, rows.length)];
};

function person(world: World, index: number) {
  return nth(world.object('people').table, index)?.id ?? '';
}

function company(world: World, index: number) {
  return nth(world.object('companies').table, index)?.id ?? '';
}

const email = (n: number) => `p${n}@example.org`;
const index = fc.nat({ max: 20 });
const few = fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 3 });

/** What can happen to people and companies; what Attio would refuse is refused here too. */
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(few, index).map(
    ([emails, at]): Step =>
      (sandbox) => {
        const target = { target_object: 'companies', target_record_id: company(sandbox.world, at) };
        sandbox.createRecord({
          object: 'people',
          values: { email_addresses: emails.map(email), company: [target] },
        });
      },
  ),
  fc.tuple(index, few).map(
    ([at, emails]): Step =>
      (sandbox) => {
        sandbox.edit({
          object: 'people',
          recordId: person(sandbox.world, at),
          values: { email_addresses: emails.map(email) },
        });
      },
  ),
  fc.tuple(index, index).map(
    ([at, other]): Step =>
      (sandbox) => {
        const target = { target_object: 'companies', target_record_id: company(sandbox.world, other) };
        sandbox.edit({
          object: 'people',
          recordId: person(sandbox.world, at),
          values: { company: [target] },
        });
      },
  ),
  fc.tuple(index, few).map(
    ([at, team]): Step =>
      (sandbox) => {
        const values = team.map((one) => ({
          target_object: 'people',
          target_record_id: person(sandbox.world, one),
        }));
        sandbox.edit({ object: 'companies', recordId: company(sandbox.world, at), values: { team: values } });
      },
  ),
  index.map(
    (at): Step =>
      (sandbox) =>
        sandbox.deleteRecord({ object: 'people', recordId: person(sandbox.world, at) }),
  ),
  index.map(
    (at): Step =>
      (sandbox) =>
        sandbox.deleteRecord({ object: 'companies', recordId: company(sandbox.world, at) }),
  ),
  fc.tuple(index, index).map(
    ([a, b]): Step =>
      (sandbox) => {
        const ids = {
          primaryRecordId: person(sandbox.world, a),
          secondaryRecordId: person(sandbox.world, b),
        };
        sandbox.merge({ object: 'people', ...ids });
      },
  ),
);

function attribute(table: Table, slug: string) {
  const found = table.schema.find(slug);
  if (found === undefined) throw new Error(slug);
  return found;
}

function targets(table: Table, slug: string): string[] {
  const { id } = attribute(table, slug);
  return [...table.inOrder()].flatMap((row) =>
    (row.current.get(id) ?? []).map((value) => `${row.id} ${String(value.data['target_record_id'])}`),
  );
}

function checkBothEnds(world: World): void {
  const [people, companies] = [world.object('people').table, world.object('companies').table];
  const forward = targets(people, 'company').sort();
  const backward = targets(companies, 'team')
    .map((pair) => pair.split(' ').reverse().join(' '))
    .sort();
  expect(backward).toEqual(forward);
  for (const pair of forward) expect(companies.get(pair.split(' ')[1] ?? '')).toBeDefined();
}

/** What the index says is what a walk over the rows says. */
function checkUniqueIndex(world: World): void {
  const { table } = world.object('people');
  for (let n = 0; n <= 5; n += 1) {
    const filter = { email_addresses: email(n) };
    const walked = [...table.inOrder()].filter(compileFilter(world, table.schema, filter));
    expect(queryTable(world, table, { filter, limit: 500, offset: 0 }).rows).toEqual(walked);
    expect(walked.length).toBeLessThanOrEqual(1);
    expect(table.holder(attribute(table, 'email_addresses'), email(n))).toBe(walked[0]);
  }
}

/** Values end when others begin, and nothing is active twice. */
function checkHistory(world: World): void {
  const { table } = world.object('people');
  for (const row of table.inOrder()) {
    for (const past of row.past?.values() ?? []) {
      for (const value of past) expect(value.until !== null && value.until > value.from).toBe(true);
    }
  }
}

test('a one-way reference follows a merge and ends with its target', () => {
  const sandbox = createSandbox({ people: 3, companies: 0, deals: 0 });
  const { world } = sandbox;
  const [one, two, three] = [person(world, 0), person(world, 1), person(world, 2)];
  const values = { referred_by: [{ target_object: 'people', target_record_id: one }] };
  sandbox.edit({ object: 'people', recordId: three, values });
  sandbox.merge({ object: 'people', primaryRecordId: one, secondaryRecordId: two });
  const { table } = world.object('people');
  const merged = nth(table, 1)?.id ?? '';
  expect(targets(table, 'referred_by')).toEqual([`${three} ${merged}`]);
  sandbox.deleteRecord({ object: 'people', recordId: merged });
  expect(targets(table, 'referred_by')).toEqual([]);
});

describe('whatever happens', () => {
  test('both ends of a reference agree, the unique index is true, history is closed', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const sandbox = createSandbox({ people: 4, companies: 3, deals: 0 });
        for (const one of steps) {
          try {
            one(sandbox);
          } catch (error) {
            if (!(error instanceof AttioError)) throw error;
          }
        }
        checkBothEnds(sandbox.world);
        checkUniqueIndex(sandbox.world);
        checkHistory(sandbox.world);
      }),
      { numRuns: 150 },
    );
  });

  test('pages put together are the whole, in creation order, whatever was deleted', () => {
    const anyDirection = fc.constantFrom('asc' as const, 'desc' as const);
    fc.assert(
      fc.property(
        fc.array(index, { maxLength: 15 }),
        fc.integer({ min: 1, max: 7 }),
        anyDirection,
        checkPages,
      ),
      { numRuns: 60 },
    );
  });
});

function checkPages(gone: readonly number[], limit: number, direction: 'asc' | 'desc'): void {
  const { world } = createSandbox({ people: 25 });
  const { table } = world.object('people');
  for (const at of gone) {
    const row = nth(table, at);
    if (row !== undefined) table.remove(row);
  }
  const sorts = [{ attribute: 'created_at', direction }];
  const pages: Row[] = [];
  for (let offset = 0; offset < 30; offset += limit) {
    pages.push(...queryTable(world, table, { sorts, limit, offset }).rows);
  }
  const whole = [...table.inOrder()];
  expect(pages).toEqual(direction === 'desc' ? whole.reverse() : whole);
}
