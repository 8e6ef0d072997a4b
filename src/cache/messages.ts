/** What instances tell each other. */
type Message =
  | { readonly from: string; readonly all: true }
  | { readonly from: string; readonly all: false; readonly cache: string; readonly subject: string };

export function forgetMessage(from: string, cache: string, subject: string): string {
  return JSON.stringify({ from, cache, subject });
}

export function forgetAllMessage(from: string): string {
  return JSON.stringify({ from, all: true });
}

/** @returns null for what is none: anybody can write to a channel */
export function readMessage(text: string): Message | null {
  let members: Record<string, unknown>;
  try {
    members = Object(JSON.parse(text)) as Record<string, unknown>; // each member is looked at
  } catch {
    return null;
  }
  const { from, all, cache, subject } = members;
  if (typeof from !== 'string') return null;
  if (all === true) return { from, all };
  return typeof cache === 'string' && typeof subject === 'string'
    ? { from, all: false, cache, subject }
    : null;
}
