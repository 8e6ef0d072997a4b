import { afterEach, describe, expect, test } from 'vitest';
import { takeViolations } from '../support/exchanges.ts';
import { TwoServices } from '../support/two-services.ts';
import { contactsWith } from '../support/writes.ts';

afterEach(() => {
  expect(takeViolations()).toEqual([]);
});

const PEOPLE = ['ada', 'bob', 'cay', 'dee'].map((name) => `${name}@two.example`) as [string, ...string[]];
const WRITES_OF_EACH = 25;

describe('two services on one workspace', () => {
  test.each([
    ['one token', true],
    ['a token each', false],
  ])(
    'that both write to the same people, with %s, agree in the end, and then ask and write nothing',
    async (_, sharesToken) => {
      await using two = await TwoServices.start({ sharesToken });
      const written = await two.fight(PEOPLE, async (turn) => turn < WRITES_OF_EACH, 2);
      expect(written).toBe(2 * WRITES_OF_EACH);
      expect([...two.answers.keys()].filter((answer) => !/^20[02] /.test(answer))).toEqual([]);
      await two.quiet();
      // Each write is one request that changes something, two at most, and what makes the two companies.
      expect(two.requests().writes).toBeLessThanOrEqual(2 * written + 2);
      expect(await two.differences(PEOPLE)).toEqual([]);
      for (const email of PEOPLE) expect(two.recordsWith(email)).toBe(1);
      // Whatever still went round would be seen while an edit goes through both.
      two.clearRequests();
      const [ada] = await contactsWith(two.first, PEOPLE[0]);
      await two.edit(ada?.recordId ?? '', 'Edited by a person');
      expect(two.requests()).toEqual({ reads: 2, writes: 0 });
      expect(await two.differences(PEOPLE)).toEqual([]);
    },
  );
});
