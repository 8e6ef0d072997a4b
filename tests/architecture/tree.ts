import { readdirSync, readFileSync } from 'node:fs';
import type { Tree } from './rules.ts';

/** Reads the sources, tests and READMEs of a checkout. @param root its path, with a slash at the end */
export function readTree(root: string): Tree {
  const tree = new Map<string, string>();
  for (const folder of ['src', 'tests']) {
    for (const entry of readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(ts|md)$/.test(entry.name)) continue;
      const path = `${entry.parentPath.replaceAll('\\', '/')}/${entry.name}`;
      tree.set(path.slice(root.length), readFileSync(path, 'utf8'));
    }
  }
  return tree;
}
