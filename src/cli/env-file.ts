import { randomBytes } from 'node:crypto';
import { readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { parse } from 'dotenv';
import { CommandError } from './io.ts';

/** Only the owner: there are secrets in it. */
const MODE = 0o600;

/** @returns the variable's value in a file of variables; undefined: it has none, or there is no file */
export async function readVariable(path: string, name: string): Promise<string | undefined> {
  const value = parse(await readText(path))[name];
  return value === '' ? undefined : value;
}

/**
 * Sets one variable in a file of variables and leaves everything else as it is. All or nothing; the file is its
 * owner's alone afterwards.
 * @throws CommandError when it cannot be written
 */
export async function writeVariable(path: string, name: string, value: string): Promise<void> {
  // A link stays one.
  const target = await realpath(path).catch(() => path);
  const beside = `${target}.${randomBytes(4).toString('hex')}`;
  try {
    await writeFile(beside, setVariable(await readText(target), name, value), { mode: MODE, flag: 'wx' });
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw new CommandError(`${path} cannot be written: ${error instanceof Error ? error.message : error}.`);
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw new CommandError(`${path} cannot be read: ${error instanceof Error ? error.message : error}.`);
  }
}

/** The last line that sets the variable counts, and is replaced; else its comment gets it, or the end of the text. */
export function setVariable(text: string, name: string, value: string): string {
  const lines = text.split('\n');
  const isLine = new RegExp(`^\\s*(export\\s+)?${name}\\s*[=:]`);
  const at = lines.findLastIndex((line) => isLine.test(line));
  const end = (line: string | undefined) => (line?.endsWith('\r') ? '\r' : '');
  if (at >= 0) {
    const prefix = /^\s*(export\s+)?/.exec(lines[at] ?? '')?.[0] ?? '';
    lines[at] = `${prefix}${name}=${quoted(value)}${end(lines[at])}`;
    return lines.join('\n');
  }
  const comment = lines.findIndex((line) => new RegExp(`^#\\s*${name}=`).test(line));
  if (comment >= 0) {
    lines.splice(comment + 1, 0, `${name}=${quoted(value)}${end(lines[comment])}`);
    return lines.join('\n');
  }
  const gap = text === '' || text.endsWith('\n') ? '' : '\n';
  return `${text}${gap}${name}=${quoted(value)}\n`;
}

/** What dotenv would cut or unescape is quoted. */
function quoted(value: string): string {
  if (/^[\w.,:/+=@%~-]*$/.test(value)) return value;
  const quote = ["'", '`', '"'].find((mark) => !value.includes(mark));
  if (quote === undefined)
    throw new CommandError('The secret has every kind of quote in it; set it by hand.');
  return `${quote}${value}${quote}`;
}
