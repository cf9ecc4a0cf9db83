import type { TestRealtime } from './start-realtime.ts';

/** What workers do to tell nodes of history, in two separate steps so that a test can lose one. */
export async function raiseDurableKeys({ redis, keys }: TestRealtime) {
  const partition = keys.driverPartition('driver-1');
  return {
    publish: (message: object) => redis.commands.spublish(keys.durableFeed(partition), JSON.stringify(message)),
    async store(driverId: string, run: number, seq: number) {
      const value = Buffer.alloc(16);
      value.writeDoubleLE(seq, 0);
      value.writeDoubleLE(Date.now(), 8);
      await redis.commands.hset(keys.durable(partition), `${driverId}:${run}`, value);
    },
  };
}
