/** A command came before the connection was there. */
export function isTooEarly(error: unknown): boolean {
  return error instanceof Error && error.message.includes('enableOfflineQueue');
}

/** What it was, in a word: an error of the driver names addresses, and holds the command with its arguments. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as { code?: unknown }; // errors of sockets have one
  if (typeof code === 'string') return code;
  if (error.name === 'ReplyError') return error.message.split(' ', 1)[0] ?? error.name;
  return error.name === 'Error' ? error.message.slice(0, 60) : error.name;
}
