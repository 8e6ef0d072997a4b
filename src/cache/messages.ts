/** What instances tell each other: subjects of caches to forget, or all of them. */
interface Message {
  readonly from: string;
  readonly forget: 'all' | readonly Subject[];
}

export interface Subject {
  readonly cache: string;
  readonly subject: string;
}

export function messageOf(from: string, forget: 'all' | readonly Subject[]): string {
  const pairs = forget === 'all' ? forget : forget.map(({ cache, subject }) => [cache, subject]);
  return JSON.stringify({ from, forget: pairs });
}

/** @returns null for what is none: anybody can write to a channel */
export function readMessage(text: string): Message | null {
  let members: Record<string, unknown>;
  try {
    members = Object(JSON.parse(text)) as Record<string, unknown>; // each member is looked at
  } catch {
    return null;
  }
  const { from, forget } = members;
  if (typeof from !== 'string') return null;
  if (forget === 'all') return { from, forget };
  return Array.isArray(forget) ? { from, forget: forget.flatMap(readSubject) } : null;
}

function readSubject(pair: unknown): Subject[] {
  const [cache, subject] = Array.isArray(pair) ? (pair as unknown[]) : [];
  return typeof cache === 'string' && typeof subject === 'string' ? [{ cache, subject }] : [];
}
