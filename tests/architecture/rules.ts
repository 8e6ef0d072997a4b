/** The rules of the house, as functions of a tree of files: path from the root → text. */
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path/posix';
import { findImports, readsEnvironment } from './imports.ts';

export type Tree = ReadonlyMap<string, string>;

/** Which rooms a room may import besides itself. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  cache: ['domain'],
  queue: ['domain'],
  store: ['domain'],
  monitoring: ['domain'],
  attio: ['cache', 'queue', 'monitoring', 'domain'],
  services: ['attio', 'domain'],
  webhooks: ['services', 'domain'],
  api: ['services', 'domain'],
  automations: ['services', 'domain'],
  outbound: ['domain'],
};

/** The composition root and what starts it: these may import everything. */
const COMPOSITION = ['app', 'index', 'cli'];
/** Configuration is put together from the pieces of these. */
const CONFIG_PIECES = ['src/attio/config.ts', 'src/outbound/addresses.ts'];

const MAX_LINES = 350;
const MAX_README_LINES = 15;
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** Everything that is wrong with a tree, one sentence each: where, what, and how to mend it. */
export function violations(tree: Tree): string[] {
  const sources = [...tree.keys()].filter((path) => path.startsWith('src/') && path.endsWith('.ts'));
  return [
    ...sources.flatMap((path) => importFaults(tree, path)),
    ...cycles(tree, sources),
    ...sources.flatMap((path) => environmentFault(tree, path)),
    ...sources.flatMap((path) => transactionFault(tree, path)),
    ...[...tree.keys()].flatMap((path) => [...sizeFault(tree, path), ...nameFault(path)]),
  ];
}

function importFaults(tree: Tree, path: string): string[] {
  return findImports(tree.get(path) ?? '').flatMap(({ specifier }) => {
    if (specifier === null) {
      return `${path}: imports a computed path, which nobody can check. Name the module as a text.`;
    }
    const fault = specifier.startsWith('.')
      ? layerFault(path, join(dirname(path), specifier))
      : packageFault(path, specifier);
    return fault === null ? [] : `${path}: imports "${specifier}": ${fault}`;
  });
}

function layerFault(from: string, to: string): string | null {
  if (!to.startsWith('src/')) {
    return to === 'package.json'
      ? null
      : 'the product imports nothing outside of src/. Move what it needs there.';
  }
  const [room, target] = [roomOf(from), roomOf(to)];
  if (room === target || COMPOSITION.includes(room)) return null;
  if (room === 'config') return target === 'domain' || CONFIG_PIECES.includes(to) ? null : CONFIG_RULE;
  const allowed = ROOMS[room];
  if (allowed === undefined) {
    return `"${room}" is a room that no rule knows. Put the file into one of ${Object.keys(ROOMS).join(', ')}, or add the rule.`;
  }
  if (allowed.includes(target)) return null;
  const may = allowed.length === 0 ? 'nothing' : `only ${allowed.join(', ')}`;
  return `${room} may import ${may}. Declare what it needs as an interface of its own, and let app.ts hand it over.`;
}

const CONFIG_RULE = `configuration may import only domain and ${CONFIG_PIECES.join(', ')}. Hand values over in app.ts instead.`;

function packageFault(path: string, specifier: string): string | null {
  if (specifier.startsWith('/') || /^(file|data|https?):/.test(specifier)) {
    return 'a module is named by a relative path or a package. Write it so.';
  }
  if (specifier.startsWith('#')) return 'aliases hide which layer is meant. Write a relative path.';
  if (roomOf(path) === 'domain') return 'domain imports nothing. Move what needs it to the layer that does.';
  return builtinModules.includes(specifier) && !specifier.startsWith('node:')
    ? `builtins are named with node:. Write "node:${specifier}".`
    : null;
}

/** The folder under `src/`; a file directly in it is a room of its own. */
function roomOf(path: string): string {
  return (path.split('/')[1] ?? '').replace(/\.ts$/, '');
}

function environmentFault(tree: Tree, path: string): string[] {
  if (path === 'src/config.ts' || !readsEnvironment(tree.get(path) ?? '')) return [];
  return [`${path}: reads process.env. Add the variable to src/config.ts and take its value from AppConfig.`];
}

/** Kysely's own transactions know nothing of those that wait, and would take their connections. */
function transactionFault(tree: Tree, path: string): string[] {
  if (
    path === 'src/store/database.ts' ||
    !/\.(transaction|startTransaction)\(\s*\)/.test(tree.get(path) ?? '')
  )
    return [];
  return [`${path}: begins a transaction of its own. Call transaction(db, work) of src/store/database.ts.`];
}

/** Each circle once, as the search from the first file in it meets it. */
function cycles(tree: Tree, sources: readonly string[]): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      const circle = [...trail.slice(trail.indexOf(path)), path].join(' → ');
      found.push(`${circle}: a circle of imports. Move what both sides need to a file of its own.`);
    } else if (!done.has(path)) {
      for (const target of targetsOf(tree, path)) visit(target, [...trail, path]);
      done.add(path);
    }
  };
  for (const path of sources) visit(path, []);
  return found;
}

/** The files of the tree that a file imports. */
function targetsOf(tree: Tree, path: string): string[] {
  return findImports(tree.get(path) ?? '')
    .map(({ specifier }) => (specifier?.startsWith('.') ? join(dirname(path), specifier) : ''))
    .filter((target) => tree.has(target));
}

function sizeFault(tree: Tree, path: string): string[] {
  const lines = (tree.get(path) ?? '').trimEnd().split('\n').length;
  if (path.endsWith('.ts') && lines > MAX_LINES) {
    return [`${path}: has ${lines} lines, more than ${MAX_LINES}. Make it a folder with its rooms inside.`];
  }
  if (/^src\/[^/]+\/README\.md$/.test(path) && lines > MAX_README_LINES) {
    return [`${path}: has ${lines} lines, more than ${MAX_README_LINES}. Say less, or say it in the code.`];
  }
  return [];
}

function nameFault(path: string): string[] {
  if (!path.endsWith('.ts')) return [];
  const parts = path.replace(/(\.test|\.d)?\.ts$/, '').split('/');
  if (parts.every((part) => KEBAB.test(part))) return [];
  return [`${path}: names are kebab-case. Rename it.`];
}

/** Variables that one side has and the other lacks. */
export function environmentGaps(example: string, variables: readonly string[]): string[] {
  const shown = [...example.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1] ?? '');
  const twice = shown.filter((name, index) => shown.indexOf(name) !== index);
  return [
    ...variables
      .filter((name) => !shown.includes(name))
      .map((name) => `${name}: is read, but .env.example lacks it.`),
    ...shown
      .filter((name) => !variables.includes(name))
      .map((name) => `${name}: is in .env.example, but nothing reads it.`),
    ...twice.map((name) => `${name}: is in .env.example twice.`),
  ];
}
