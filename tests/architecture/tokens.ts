/** A piece of TypeScript, as far as finding imports needs it. */
export interface Token {
  readonly kind: 'word' | 'text' | 'mark';
  /** A string's content without quotes; a template with substitutions is `null`, since it says nothing for sure. */
  readonly value: string | null;
}

const WORD = /[\p{L}_$#][\p{L}\p{N}_$]*/uy;
const NUMBER = /\d[\w.]*/y;
const BLANK = /\s+|\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const QUOTED = /(['"])((?:\\[\s\S]|(?!\1)[^\\\n])*)\1/y;

/** Words after which a slash begins a regular expression. */
const BEFORE_VALUE = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'delete',
  'void',
  'throw',
  'new',
  'await',
  'yield',
  'else',
  'do',
]);

interface Piece {
  /** None for what is left out. */
  readonly tokens: readonly Token[];
  readonly end: number;
}

/**
 * Cuts a file into words, texts and marks, leaving out comments and the insides of templates and regular
 * expressions. It needs no parser: imports and `process.env` show in the order of these alone.
 */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < source.length; ) {
    const piece = pieceAt(source, at, tokens.at(-1));
    tokens.push(...piece.tokens);
    at = piece.end;
  }
  return tokens;
}

function pieceAt(source: string, at: number, before: Token | undefined): Piece {
  const blank = matchAt(BLANK, source, at) ?? matchAt(NUMBER, source, at);
  if (blank !== null) return { tokens: [], end: at + blank[0].length };
  const word = matchAt(WORD, source, at);
  if (word !== null) return { tokens: [{ kind: 'word', value: word[0] }], end: at + word[0].length };
  const quoted = matchAt(QUOTED, source, at);
  if (quoted !== null) {
    return { tokens: [{ kind: 'text', value: plainText(quoted[2] ?? '') }], end: at + quoted[0].length };
  }
  if (source[at] === '`') return templateAt(source, at);
  const regex = startsValue(before) ? matchAt(REGEX, source, at) : null;
  if (regex !== null) return { tokens: [{ kind: 'text', value: null }], end: at + regex[0].length };
  return { tokens: [{ kind: 'mark', value: source[at] ?? '' }], end: at + 1 };
}

function matchAt(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

/** A template's substitutions become tokens of their own, before its text. */
function templateAt(source: string, start: number): Piece {
  const tokens: Token[] = [];
  let text = '';
  let at = start + 1;
  while (at < source.length && source[at] !== '`') {
    if (source.startsWith('${', at)) {
      const end = endOfSubstitution(source, at + 2);
      tokens.push(...tokenize(source.slice(at + 2, end)), { kind: 'mark', value: ';' });
      at = end + 1;
    } else {
      const width = source[at] === '\\' ? 2 : 1;
      text += source.slice(at, at + width);
      at += width;
    }
  }
  tokens.push({ kind: 'text', value: tokens.length === 0 ? plainText(text) : null });
  return { tokens, end: at + 1 };
}

function endOfSubstitution(source: string, start: number): number {
  let depth = 1;
  let at = start;
  for (; at < source.length; at += 1) {
    if (source[at] === '`') at = templateAt(source, at).end - 1;
    else if (source[at] === '{') depth += 1;
    else if (source[at] === '}') depth -= 1;
    if (depth === 0) break;
  }
  return at;
}

function startsValue(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === 'text') return false;
  if (before.kind === 'word') return BEFORE_VALUE.has(before.value ?? '');
  return before.value !== ')' && before.value !== ']' && before.value !== '}';
}

/** Enough for module names: a path that is written with escapes is still that path. */
function plainText(text: string): string {
  return text
    .replace(/\\(?:x([\da-f]{2})|u([\da-f]{4})|u\{([\da-f]+)\})/gi, (_all, x, u, long) =>
      String.fromCodePoint(Number.parseInt(x ?? u ?? long, 16)),
    )
    .replace(/\\(.)/gs, '$1');
}
