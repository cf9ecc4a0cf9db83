import type { RedisClient } from '@hushryd/platform/redis/client';
import { createKeys } from '@hushryd/platform/redis/keys';
import type { Db } from 'mongodb';
import t from 'tap';
import { encodeGroupHeader } from './packed-fixes.ts';
import { createTrackReader } from './read-track.ts';

const kibibyte = 1024;
const stepEntries = 64;

/** A track of which nothing is stored, with so many entries before MongoDB. */
async function readBehind({ entries, entryBytes = 0 }: { entries: number; entryBytes?: number }) {
  const packed = entryBytes === 0 ? Buffer.alloc(0) : entryOf(entryBytes);
  let reads = 0;
  let given = 0;
  const reader = createTrackReader({
    redis: {
      xrangeBuffer: async () => {
        reads += 1;
        const some = Math.min(stepEntries, entries - given);
        given += some;
        return Array.from({ length: some }, (_, index) => [
          Buffer.from(`${given + index}-0`),
          [Buffer.from('b'), packed],
        ]);
      },
    } as unknown as RedisClient,
    keys: createKeys({ prefix: 'test:', partitions: 1 }),
    db: { collection: () => ({ find: () => ({ toArray: async () => [] }) }) } as unknown as Db,
    deadlineMs: 1000,
  });
  const { tail } = await reader.readTrack({ tripId: 'trip', driverId: 'driver', limit: 10 });
  return { tail, reads };
}

/** One of somebody else, as long as it is to be. */
function entryOf(bytes: number): Buffer {
  const header = { driverId: 'another', run: 1, from: 1, receivedAtMs: 0 };
  const emptyBytes = encodeGroupHeader({ ...header, drops: [] }).length;
  const drops = new Array<number>(Math.floor((bytes - emptyBytes) / 4)).fill(1);
  return Buffer.concat([encodeGroupHeader({ ...header, drops }), Buffer.alloc(2)]);
}

t.test('a tail of up to 2,000 entries is read, of a longer one no more than that', async (t) => {
  const steps = Math.ceil(2000 / stepEntries);
  t.strictSame(await readBehind({ entries: 1999 }), { tail: 'complete', reads: steps });
  t.strictSame(await readBehind({ entries: 100_000 }), { tail: 'truncated', reads: steps });
});

t.test('a tail of up to 4 MiB is read, of a larger one one step more', async (t) => {
  const perStep = kibibyte * kibibyte;
  const entryBytes = perStep / stepEntries;
  t.strictSame(await readBehind({ entries: 4 * stepEntries - 1, entryBytes }), { tail: 'complete', reads: 4 });
  t.strictSame(await readBehind({ entries: 100_000, entryBytes: 1.05 * entryBytes }), { tail: 'truncated', reads: 4 });
  t.strictSame(await readBehind({ entries: 100_000, entryBytes: 0.95 * entryBytes }), { tail: 'truncated', reads: 5 });
});
