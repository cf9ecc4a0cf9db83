import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';

/**
 * Is this worker the one that performs a periodic duty for the next `forMs`? Saves work, guards nothing: two workers that both do it do
 * no harm.
 */
export async function holdDuty(
  { redis, keys, workerId }: { redis: RedisClient; keys: Keys; workerId: string },
  duty: string,
  forMs: number,
): Promise<boolean> {
  const key = keys.duty(duty);
  if ((await redis.set(key, workerId, 'PX', forMs, 'NX')) === 'OK') return true;
  if ((await redis.get(key)) !== workerId) return false;
  await redis.pexpire(key, forMs);
  return true;
}
