import { expect, it } from 'vitest';
import { nearest } from '../../../src/domain/nearest.ts';

const STAGES = ['Lead', 'In Progress', 'Won 🎉', 'Lost', '✈️'];

it.each([
  ['in progres', 'In Progress'],
  ['Wno', 'Won 🎉'],
  ['won', 'Won 🎉'],
  ['✈️', '✈️'],
  ['Nowhere', null],
])('the word nearest to %s is %s', (word, wanted) => {
  expect(nearest(word, STAGES)).toBe(wanted);
});
