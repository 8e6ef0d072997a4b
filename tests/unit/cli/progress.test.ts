import { describe, expect, it } from 'vitest';
import { duration, table } from '../../../src/cli/io.ts';
import { bar, barText, Pace, ProgressLine, plainText } from '../../../src/cli/progress.ts';

function paceOf(total: number | null, ...samples: readonly [atMs: number, done: number][]): Pace {
  const pace = new Pace();
  pace.setTotal(total);
  for (const [atMs, done] of samples) pace.note(done, atMs);
  return pace;
}

describe('the pace of a sync', () => {
  it('tells share, rate and time left', () => {
    const pace = paceOf(50_000, [0, 0], [10_000, 10_000]);
    expect(plainText('people', pace)).toBe('people: 10,000 of about 50,000 (20%), 1,000/s, 40 s left');
    expect(barText('people', pace)).toBe(
      'people       █████░░░░░░░░░░░░░░░░░░░  20%  10,000 of about 50,000, 1,000/s, 40 s left',
    );
  });

  it('tells no share where the total is unknown, and no rate where nothing has moved', () => {
    expect(plainText('people', paceOf(null, [0, 0], [1_000, 500]))).toBe('people: 500 seen, 500/s');
    expect(plainText('people', paceOf(100, [0, 0]))).toBe('people: 0 of about 100 (0%)');
    expect(plainText('people', paceOf(null))).toBe('people: 0 seen');
  });

  it('never says that all is done while it goes on, also where there is more than was thought', () => {
    expect(plainText('people', paceOf(100, [0, 0], [1_000, 100]))).toBe(
      'people: 100 of about 100 (99%), 100/s',
    );
    expect(plainText('people', paceOf(100, [0, 0], [1_000, 150]))).toBe(
      'people: 150 of about 150 (99%), 150/s',
    );
  });

  it('goes by the latest while, so that a pause or a run that was resumed does not count', () => {
    const pace = paceOf(null, [0, 40_000]);
    for (let second = 1; second <= 60; second += 1) pace.note(40_000 + second * 100, second * 1_000);
    expect(pace.perSecond).toBe(100);
    for (let second = 61; second <= 120; second += 1) pace.note(46_000, second * 1_000);
    expect(pace.perSecond).toBeNull();
  });
});

describe('a line of progress', () => {
  function shown(moves: boolean): string {
    let text = '';
    const out = { write: (part: string) => (text += part) };
    const line = new ProgressLine({ out, moves, label: 'people' });
    for (let atMs = 0; atMs <= 4_000; atMs += 250) line.update(atMs, atMs);
    line.end('done');
    return text;
  }

  it('moves on a terminal', () => {
    const text = shown(true);
    expect(text.split('\r')).toHaveLength(19);
    expect(text.endsWith('\rdone\u001b[K\n')).toBe(true);
    expect(text.trimEnd()).not.toContain('\n');
  });

  it('is a line every three seconds elsewhere', () => {
    expect(shown(false)).toBe('people: 0 seen\npeople: 3,000 seen, 1,000/s\ndone\n');
  });
});

describe('words', () => {
  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [200, '3 min 20 s'],
    [7_500, '2 h 5 min'],
    [270_000, '3 d 3 h'],
    [-5, '0 s'],
  ])('%d seconds are %s', (seconds, words) => {
    expect(duration(seconds)).toBe(words);
  });

  it('bars and tables', () => {
    expect([bar(0, 4), bar(0.5, 4), bar(2, 4)]).toEqual(['░░░░', '██░░', '████']);
    expect(
      table([
        ['a', 'bb', ''],
        ['aaa', 'b', 'c'],
      ]),
    ).toBe('a    bb\naaa  b   c\n');
  });
});
