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

/** undefined when it is no JSON. The parser's own complaint quotes the text, so it is not kept. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
