import { type Token, tokenize } from './tokens.ts';

export interface Import {
  /** As written; null: computed, so that nobody can say what is imported. */
  readonly specifier: string | null;
  /** Names in braces, such as `env` of `import { env } from 'node:process'`. */
  readonly names: readonly string[];
}

/** What a file takes from others: `import`, `import type`, `export … from`, `import()`, `require()`, types included. */
export function findImports(source: string): Import[] {
  const tokens = tokenize(source);
  const found = tokens.flatMap((token, index) => importAt(tokens, index, token) ?? []);
  return [...found, ...references(source)];
}

/** Whether a file reads the environment: `process.env`, however it is spelt. */
export function readsEnvironment(source: string): boolean {
  const tokens = tokenize(source);
  const read = tokens.some((token, index) => isWord(token, 'process') && leadsToEnvironment(tokens, index));
  return read || findImports(source).some(takesEnvironment);
}

function leadsToEnvironment(tokens: readonly Token[], index: number): boolean {
  const after = tokens.slice(index + 1, index + 5).filter((token) => !isMark(token, '?'));
  const [mark, member] = isMark(after[0], '.') && isMark(after[1], '[') ? after.slice(1) : after;
  if (isMark(mark, '.')) return isWord(member, 'env');
  // A computed member may be any.
  if (isMark(mark, '[')) return member?.kind !== 'text' || member.value === null || member.value === 'env';
  // Taken whole, or taken apart: `const { env } = process`.
  const [first, second] = [tokens[index - 2], tokens[index - 1]];
  return isMark(second, '=') && !isMark(first, '=') && !isMark(first, '!');
}

function takesEnvironment({ specifier, names }: Import): boolean {
  return (specifier === 'node:process' || specifier === 'process') && names.includes('env');
}

function importAt(tokens: readonly Token[], index: number, token: Token): Import | null {
  if (token.kind !== 'word' || isMark(tokens[index - 1], '.')) return null;
  if (token.value === 'require') return isMark(tokens[index + 1], '(') ? called(tokens, index + 2) : null;
  if (token.value === 'import') return importStatement(tokens, index + 1);
  if (token.value === 'export') return exportStatement(tokens, index + 1);
  return null;
}

function importStatement(tokens: readonly Token[], start: number): Import | null {
  const first = tokens[start];
  if (first?.kind === 'text') return { specifier: first.value, names: [] };
  if (isMark(first, '(')) return called(tokens, start + 1);
  // `import.meta`, a member or a property that is called import.
  if (first === undefined || (first.kind === 'mark' && first.value !== '{' && first.value !== '*'))
    return null;
  return fromClause(tokens, start);
}

function exportStatement(tokens: readonly Token[], start: number): Import | null {
  const at = isWord(tokens[start], 'type') ? start + 1 : start;
  return isMark(tokens[at], '{') || isMark(tokens[at], '*') ? fromClause(tokens, at) : null;
}

/** Reads up to the `from` that belongs to the statement. */
function fromClause(tokens: readonly Token[], start: number): Import | null {
  const names: string[] = [];
  for (let at = start; at < tokens.length; at += 1) {
    const [token, next] = [tokens[at], tokens[at + 1]];
    if (isMark(token, '{')) {
      const inside = tokens.slice(at + 1, closingBrace(tokens, at));
      names.push(...inside.map((name) => name.value ?? ''));
      at += inside.length + 1;
    } else if (isWord(token, 'from') && next?.kind === 'text') return { specifier: next.value, names };
    else if (!continues(token)) return null;
  }
  return null;
}

function closingBrace(tokens: readonly Token[], start: number): number {
  const end = tokens.findIndex((token, index) => index > start && isMark(token, '}'));
  return end === -1 ? tokens.length : end;
}

/** What may stand between `import` and `from` outside of braces. */
function continues(token: Token | undefined): boolean {
  return token?.kind === 'word' || isMark(token, '*') || isMark(token, ',');
}

function called(tokens: readonly Token[], start: number): Import {
  const [argument, after] = [tokens[start], tokens[start + 1]];
  const literal = argument?.kind === 'text' && (isMark(after, ')') || isMark(after, ','));
  return { specifier: literal ? argument.value : null, names: [] };
}

/** `/// <reference path="…" />` is a comment to all but the compiler. */
function references(source: string): Import[] {
  const matches = source.matchAll(/^\/\/\/\s*<reference\s+path=["']([^"']+)["']/gm);
  return [...matches].map((match) => ({ specifier: match[1] ?? null, names: [] }));
}

function isMark(token: Token | undefined, value: string): boolean {
  return token?.kind === 'mark' && token.value === value;
}

function isWord(token: Token | undefined, value: string): boolean {
  return token?.kind === 'word' && token.value === value;
}
