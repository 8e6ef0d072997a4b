import { setImmediate as turn } from 'node:timers/promises';

/** The body of a response is longer than allowed. */
export class BodyTooLongError extends Error {
  override readonly name = 'BodyTooLongError';
}

/**
 * The whole body as text. It is always read to its end or cancelled, so that the connection is freed.
 * @throws BodyTooLongError beyond `maxBytes`; what the stream throws
 */
export async function readText(response: Response, maxBytes: number): Promise<string> {
  const { body } = response;
  if (body === null) return '';
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await body.cancel().catch(() => {});
    throw new BodyTooLongError(`longer than ${maxBytes} bytes`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop by a throw cancels the stream.
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new BodyTooLongError(`longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  // At once: texts of chunks would be held in parts, and copied once more to be parsed.
  return new TextDecoder().decode(Buffer.concat(chunks, bytes));
}

const PAGE_START = '{"data":[';
/** Between two records or entries as Attio writes them; the quotes of a text would be escaped. */
const BETWEEN = '},{"id":{';
/** Characters; they take a fraction of a millisecond. */
const PARSED_AT_ONCE = 32 * 1024;

/**
 * The same for an answer that may be long: it is read in parts, between which others have a turn. What is written in
 * another way than Attio does is read at once.
 */
export async function parsePage(text: string, partLength = PARSED_AT_ONCE): Promise<unknown> {
  if (text.length < 2 * partLength || !text.startsWith(PAGE_START)) return parseJson(text);
  const data: unknown[] = [];
  let from = PAGE_START.length;
  for (;;) {
    const cut = text.indexOf(BETWEEN, from + partLength);
    if (cut < 0) break;
    const part = pageOf(`${text.slice(from, cut + 1)}]}`);
    // It was cut elsewhere than between two records.
    if (part === null || Object.keys(part).length > 1) return parseJson(text);
    for (const item of part.data) data.push(item);
    from = cut + '},'.length;
    await turn();
  }
  const last = pageOf(text.slice(from));
  return last === null ? parseJson(text) : { ...last, data: data.concat(last.data) };
}

function pageOf(rest: string): { data: unknown[] } | null {
  const page = parseJson(PAGE_START + rest) as { data: unknown } | undefined; // it begins so, or is no JSON
  return Array.isArray(page?.data) ? { ...page, data: page.data } : null;
}

/** undefined when it is no JSON. The parser's own complaint quotes the text, so it is not kept. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
