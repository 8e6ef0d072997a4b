import { createRequire } from 'node:module';
import type { Redis } from 'ioredis';

const require = createRequire(import.meta.url);

/** Read when there is a Redis to talk to: a start without one does without its code. */
export function redisDriver(): typeof Redis {
  return require('ioredis').Redis;
}
