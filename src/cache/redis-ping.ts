import { Redis } from 'ioredis';
import { reasonOf } from './redis-errors.ts';

const LIMIT_MS = 2_000;

/** Whether a Redis server lets us in and takes what we store. @throws an error that says why not, in a word */
export async function pingRedis(url: string): Promise<void> {
  const redis = new Redis(url, {
    protocol: 2,
    lazyConnect: true,
    disableClientInfo: true,
    connectTimeout: LIMIT_MS,
    commandTimeout: LIMIT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: null,
  });
  // What closes the connection is told here first, and better.
  let reason: unknown = null;
  redis.on('error', (error) => {
    reason ??= error;
  });
  try {
    await redis.connect();
    await redis.set('attio-bridge:ping', '', 'PX', LIMIT_MS);
  } catch (error) {
    throw new Error(reasonOf(reason ?? error));
  } finally {
    redis.disconnect();
  }
}
