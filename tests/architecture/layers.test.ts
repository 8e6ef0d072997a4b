import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ENVIRONMENT_VARIABLES } from '../../src/config.ts';
import { findImports, readsEnvironment } from './imports.ts';
import { environmentGaps, violations } from './rules.ts';
import { readTree } from './tree.ts';

const ROOT = new URL('../../', import.meta.url).pathname;

describe('the house', () => {
  it('keeps its rules: layers, circles, environment, sizes, names', () => {
    const tree = readTree(ROOT);
    expect(tree.size).toBeGreaterThan(50);
    expect(violations(tree)).toEqual([]);
  });

  it('shows every variable in .env.example, and no other', () => {
    expect(environmentGaps(readFileSync(`${ROOT}.env.example`, 'utf8'), ENVIRONMENT_VARIABLES)).toEqual([]);
  });
});

/** What the rules find in a small house. */
function planted(files: Record<string, string>): string[] {
  return violations(new Map(Object.entries(files)));
}

describe('the rules, on planted violations,', () => {
  it.each([
    ['api', 'attio'],
    ['api', 'webhooks'],
    ['api', 'store'],
    ['api', 'monitoring'],
    ['webhooks', 'attio'],
    ['webhooks', 'api'],
    ['webhooks', 'store'],
    ['services', 'store'],
    ['services', 'cache'],
    ['services', 'monitoring'],
    ['services', 'api'],
    ['services', 'webhooks'],
    ['attio', 'services'],
    ['attio', 'store'],
    ['store', 'cache'],
    ['cache', 'queue'],
    ['queue', 'monitoring'],
    ['monitoring', 'services'],
    ['domain', 'services'],
    ['domain', 'store'],
    ['newroom', 'domain'],
    ['services', 'newroom'],
    ['services', 'outbound'],
    ['outbound', 'services'],
    ['services', 'app'],
    ['services', 'config'],
    ['config', 'services'],
  ])('see %s import %s, a type included', (from, to) => {
    const target = to === 'app' || to === 'config' ? `../${to}.ts` : `../${to}/b.ts`;
    const path = from === 'config' ? 'src/config/a.ts' : `src/${from}/a.ts`;
    for (const statement of [`import { b } from '${target}';`, `import type { B } from '${target}';`]) {
      const found = planted({ [path]: statement });
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(new RegExp(`^${path}: imports "${RegExp.escape(target)}": .+\\. [A-Z].+\\.$`));
    }
  });

  it.each([
    ['api', 'services'],
    ['webhooks', 'services'],
    ['services', 'attio'],
    ['attio', 'cache'],
    ['attio', 'queue'],
    ['attio', 'monitoring'],
    ['api', 'domain'],
    ['store', 'domain'],
    ['outbound', 'domain'],
    ['api', 'api'],
  ])('let %s import %s', (from, to) => {
    expect(planted({ [`src/${from}/deep/a.ts`]: `import { b } from '../../${to}/b.ts';` })).toEqual([]);
  });

  it('let the composition root import everything, and configuration its pieces', () => {
    const all = `import './api/a.ts'; import './store/a.ts'; import './attio/a.ts'; import { x } from 'pino';`;
    expect(planted({ 'src/app.ts': all, 'src/index.ts': all, 'src/cli.ts': all })).toEqual([]);
    expect(planted({ 'src/app/http.ts': `import '../api/a.ts'; import '../store/a.ts';` })).toEqual([]);
    expect(planted({ 'src/config.ts': `import { a } from './attio/config.ts';` })).toEqual([]);
    expect(planted({ 'src/config/a.ts': `import { a } from '../domain/a.ts';` })).toEqual([]);
    expect(planted({ 'src/config.ts': `import { a } from './attio/client.ts';` })).toHaveLength(1);
  });

  it.each([
    `import { b as c } from '../attio/b.ts'`,
    `import b, { type C } from "../attio/b.ts"`,
    `import * as b from '../attio/b.ts'`,
    `import '../attio/b.ts'`,
    `import type B from '../attio/b.ts'`,
    `import {\n  a, // from 'x'\n  b /* } from 'y' */,\n} from '../attio/b.ts'`,
    `export * from '../attio/b.ts'`,
    `export * as b from '../attio/b.ts'`,
    `export { b } from '../attio/b.ts'`,
    `export type { B } from '../attio/b.ts'`,
    `export type * from '../attio/b.ts'`,
    `const b = await import('../attio/b.ts')`,
    'const b = import(`../attio/b.ts`)',
    `type B = import('../attio/b.ts').B`,
    `let x: typeof import('../attio/b.ts');`,
    `const b = await import('../attio/b.ts', { with: {} })`,
    `const b = require('../attio/b.ts')`,
    `import { b } from '..\\x2fattio/b.ts'`,
    `import b from '../attio/b.ts' with { type: 'json' }`,
    `const re = /'/; import { b } from '../attio/b.ts'`,
    `const ratio = a / b; /* ' */ import { b } from '../attio/b.ts'`,
    `const t = \`\${\`}\`} \`; import { b } from "../attio/b.ts"`,
    `const t = \`\${await import("../attio/b.ts")}\``,
    `/// <reference path="../attio/b.ts" />`,
    `import{b}from'../attio/b.ts'`,
  ])('see through %s', (statement) => {
    const found = planted({ 'src/api/a.ts': `${statement};\nexport const z = 1;` });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain('api may import only services, domain');
  });

  it.each([
    `// import { b } from '../attio/b.ts'`,
    `/* import { b } from '../attio/b.ts' */`,
    `const text = "import { b } from '../attio/b.ts'"`,
    'const text = `import { b } from "../attio/b.ts"`',
    `const re = /import x from '..\\/attio'/`,
    `const here = import.meta.url`,
    `const o = { import: 1, from: '../attio/b.ts' }; o.import('../attio/b.ts')`,
    `export const from = '../attio/b.ts'`,
    `export function from() { return '../attio/b.ts' }`,
    `loader.require('../attio/b.ts')`,
  ])('take no notice of %s', (statement) => {
    expect(planted({ 'src/api/a.ts': statement })).toEqual([]);
  });

  it.each([
    ['const b = await import(path)', 'computed path'],
    ['const b = require(a + "b")', 'computed path'],
    [`const b = await import(\`../attio/\${name}.ts\`)`, 'computed path'],
    ['import { a } from "../../tests/mocks/a.ts"', 'nothing outside of src/'],
    ['import { a } from "/etc/a.ts"', 'relative path or a package'],
    ['import { a } from "#attio/a"', 'aliases'],
    ['import { readFile } from "fs/promises"', 'node:fs/promises'],
  ])('see %s', (statement, words) => {
    const found = planted({ 'src/api/a.ts': statement });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(words);
  });

  it('let domain import neither packages nor builtins', () => {
    expect(planted({ 'src/domain/a.ts': `import { z } from 'zod';` })).toHaveLength(1);
    expect(planted({ 'src/domain/a.ts': `import { join } from 'node:path';` })).toHaveLength(1);
  });

  it('see circles, of types as well, and name them whole', () => {
    const found = planted({
      'src/api/a.ts': `import { b } from './b.ts';`,
      'src/api/b.ts': `import type { C } from './deep/c.ts';`,
      'src/api/deep/c.ts': `export { a } from '../a.ts';`,
      'src/api/d.ts': `import { a } from './a.ts';`,
    });
    expect(found).toEqual([
      'src/api/a.ts → src/api/b.ts → src/api/deep/c.ts → src/api/a.ts: a circle of imports. Move what both sides need to a file of its own.',
    ]);
    expect(planted({ 'src/api/a.ts': `import './a.ts';` })).toHaveLength(1);
  });

  it.each([
    'const a = process.env.A',
    'const a = process.env["A"]',
    "const a = process['env'].A",
    'const a = process?.env',
    'const a = process?.["env"]',
    'const { env } = process',
    'const all = process; all.env',
    'const a = process /* here */ . env',
    "import { env } from 'node:process'",
    "import { env as variables } from 'process'",
    `const a = \`\${process.env.A}\``,
    'const a = process[name]',
    'const a = globalThis.process.env',
  ])('see that the environment is read by %s', (source) => {
    const reading = 'reads process.env';
    expect(planted({ 'src/services/a.ts': source }).join()).toContain(reading);
    expect(planted({ 'src/config.ts': source }).join()).not.toContain(reading);
  });

  it.each([
    'process.exitCode = 1',
    '// process.env',
    "const words = 'process.env'",
    'const process = 1',
    'import.meta.env',
    "import { hrtime } from 'node:process'",
    'job.process(env)',
    'if (a === process || a !== process) {}',
  ])('see no environment in %s', (source) => {
    expect(readsEnvironment(source)).toBe(false);
  });

  it('see transactions that go past the queue', () => {
    const source = 'await this.#db.transaction().execute(work)';
    expect(planted({ 'src/store/a.ts': source }).join()).toContain('begins a transaction of its own');
    expect(planted({ 'src/store/database.ts': source })).toEqual([]);
    expect(planted({ 'src/services/a.ts': 'await store.transaction(work)' })).toEqual([]);
  });

  it('see files that are too long, READMEs that say too much, and names that are not kebab-case', () => {
    expect(planted({ 'src/api/a.ts': 'x\n'.repeat(350) })).toEqual([]);
    expect(planted({ 'src/api/a.ts': 'x\n'.repeat(351) })[0]).toContain('has 351 lines');
    expect(planted({ 'tests/unit/a.test.ts': 'x\n'.repeat(351) })).toHaveLength(1);
    expect(planted({ 'src/api/README.md': 'x\n'.repeat(15) })).toEqual([]);
    expect(planted({ 'src/api/README.md': 'x\n'.repeat(16) })[0]).toContain('has 16 lines');
    for (const path of [
      'src/api/errorHandler.ts',
      'src/api/Error.ts',
      'src/Api/a.ts',
      'src/api/a_b.ts',
      'tests/x.y.ts',
    ]) {
      expect(planted({ [path]: '' })).toContain(`${path}: names are kebab-case. Rename it.`);
    }
    expect(planted({ 'src/store/migrations/001-initial.ts': '', 'tests/unit/a-b.test.ts': '' })).toEqual([]);
  });

  it('see variables that only one side has', () => {
    expect(environmentGaps('A=1\n#B=2\n# C=3 in words\nB=4\n', ['A', 'D'])).toEqual([
      'D: is read, but .env.example lacks it.',
      'B: is in .env.example, but nothing reads it.',
      'B: is in .env.example, but nothing reads it.',
      'B: is in .env.example twice.',
    ]);
  });

  it('find as many imports in our own sources as a plain search does', () => {
    for (const [path, source] of readTree(ROOT)) {
      if (!path.startsWith('src/') || !path.endsWith('.ts')) continue;
      const plain =
        source.match(/^(?:import|export)\b[^;'"]*?\bfrom '[^']+'|^import '[^']+'|^\} from '[^']+'/gm) ?? [];
      const found = findImports(source).filter(({ specifier }) => specifier !== null);
      expect(found.length, path).toBeGreaterThanOrEqual(plain.length);
    }
  });
});
