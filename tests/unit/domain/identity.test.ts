import { expect, test } from 'vitest';
import { survivorOf } from '../../../src/domain/identity.ts';

function owners(map: Record<string, string[]>): (key: string) => string[] {
  return (key) => map[key] ?? [];
}

test('a record whose keys all live on in one other record was merged into it', () => {
  const ownerOf = owners({ a: ['dead', 'new'], b: ['new', 'dead'] });
  expect(survivorOf('dead', ['a', 'b'], ownerOf)).toBe('new');
});

test('a record whose keys are gone with it was deleted', () => {
  expect(survivorOf('dead', ['a'], owners({ a: ['dead'] }))).toBeNull();
});

test('keys scattered over several records tell of no merge', () => {
  expect(survivorOf('dead', ['a', 'b'], owners({ a: ['x'], b: ['y'] }))).toBeNull();
});

test('two records that both hold all keys leave the survivor open', () => {
  expect(survivorOf('dead', ['a'], owners({ a: ['x', 'y'] }))).toBeNull();
});

test('a record without keys was deleted', () => {
  expect(survivorOf('dead', [], owners({}))).toBeNull();
});
