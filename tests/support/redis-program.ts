import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where the program of a Redis server is on this machine; null when it is nowhere. */
export function redisProgram(): string | null {
  const places = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/opt/homebrew/bin'];
  return places.map((place) => join(place, 'redis-server')).find((path) => existsSync(path)) ?? null;
}
