import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readVariable, setVariable, writeVariable } from '../../../src/cli/env-file.ts';

describe('setVariable', () => {
  it.each([
    ['an empty text', '', 'S=new\n'],
    ['a text without it', 'A=1\nB=2', 'A=1\nB=2\nS=new\n'],
    ['its line', 'A=1\nS=old\nB=2\n', 'A=1\nS=new\nB=2\n'],
    ['its last line, which is the one that counts', 'S=1\nS=2\n', 'S=1\nS=new\n'],
    ['an exported line', 'export S = "old"\n', 'export S=new\n'],
    ['its comment', '# Secret\n#S=\nA=1\n', '# Secret\n#S=\nS=new\nA=1\n'],
    ['lines of Windows', 'A=1\r\nS=old\r\nB=2\r\n', 'A=1\r\nS=new\r\nB=2\r\n'],
    ['names that only look like it', 'SS=1\nXS=2\n', 'SS=1\nXS=2\nS=new\n'],
  ])('sets it in %s', (_what, before, after) => {
    expect(setVariable(before, 'S', 'new')).toBe(after);
  });

  it.each(['plain', 'two,parts', 'with # and space', `it's`, 'a"b', '$HOME', 'back`tick', 'a\\nb'])(
    'writes %s so that it is read as it was',
    (value) => {
      const text = setVariable('A=1\n', 'S', value);
      expect(parse(text)).toEqual({ A: '1', S: value });
      expect(parse(setVariable(text, 'S', 'next'))).toEqual({ A: '1', S: 'next' });
    },
  );

  it('refuses what no quote can hold', () => {
    expect(() => setVariable('', 'S', `'"\``)).toThrow('by hand');
  });
});

describe('writeVariable', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'attio-bridge-env-'));
    path = join(folder, '.env');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("makes the file, and a file that others could read is the owner's alone", async () => {
    await writeVariable(path, 'S', 'one');
    expect(await readFile(path, 'utf8')).toBe('S=one\n');
    await chmod(path, 0o644);
    await writeVariable(path, 'S', 'two');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readVariable(path, 'S')).toBe('two');
    expect(await readdir(folder)).toEqual(['.env']);
  });

  it('keeps a link, and says what cannot be written', async () => {
    const target = join(folder, 'shared.env');
    await writeFile(target, 'A=1\n');
    await symlink(target, path);
    await writeVariable(path, 'S', 'one');
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect(await readFile(target, 'utf8')).toBe('A=1\nS=one\n');
    await expect(writeVariable(join(folder, 'no', '.env'), 'S', 'x')).rejects.toThrow('cannot be written');
    await expect(writeVariable(folder, 'S', 'x')).rejects.toThrow('cannot be read');
    expect(await readVariable(join(folder, 'none'), 'S')).toBeUndefined();
  });
});
