import { z } from 'zod';

/** A place in a list: what `after` means is up to the list. */
type Place = { string: string; number: number };

/** Opaque to callers, and good for one list only. */
export function encodeCursor(list: string, after: string | number): string {
  return Buffer.from(JSON.stringify({ k: list, a: after })).toString('base64url');
}

/** @returns null for what this list has not given */
export function decodeCursor<T extends keyof Place>(list: string, type: T, cursor: string): Place[T] | null {
  const after = read(cursor);
  const known = type === 'number' ? isPosition(after) : typeof after === 'string';
  // One spelling per place: whatever else decodes to it was not given by us.
  if (!known || encodeCursor(list, after as string | number) !== cursor) return null; // one of the two, by `known`
  return after as Place[T]; // as `known` has checked
}

function isPosition(after: unknown): boolean {
  return typeof after === 'number' && Number.isSafeInteger(after) && after >= 0;
}

function read(cursor: string): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return typeof value === 'object' && value !== null && 'a' in value ? value.a : undefined;
  } catch {
    return undefined;
  }
}

/** The parameter that continues a list. */
export function cursorOf<T extends keyof Place>(list: string, type: T) {
  return z
    .string()
    .transform((cursor, context) => decodeInto(context, list, type, cursor))
    .meta({ description: '`nextCursor` of the page before' });
}

/** The parameter that continues a feed, or starts it from now. */
export function cursorOrLatest(list: string) {
  return z
    .string()
    .transform((cursor, context) =>
      cursor === 'latest' ? cursor : decodeInto(context, list, 'number', cursor),
    );
}

function decodeInto<T extends keyof Place>(
  context: z.core.$RefinementCtx<string>,
  list: string,
  type: T,
  cursor: string,
): Place[T] {
  const after = decodeCursor(list, type, cursor);
  if (after !== null) return after;
  context.addIssue('was not given by this list: send the cursor of an answer before, or leave it out');
  return z.NEVER;
}
