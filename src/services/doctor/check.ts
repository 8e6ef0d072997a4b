/** Whether one thing is as it should be. */
export interface Check {
  /** Stable, for machines, such as `attio-token`. */
  readonly id: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly message: string;
  /** What to do; null when nothing is to be done. */
  readonly mend: string | null;
}

export function ok(id: string, message: string): Check {
  return { id, status: 'ok', message, mend: null };
}

export function warning(id: string, message: string, mend: string): Check {
  return { id, status: 'warning', message, mend };
}

export function failed(id: string, message: string, mend: string): Check {
  return { id, status: 'failed', message, mend };
}

/** `a`, `a and b`, `a, b and c`. */
export function all(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
