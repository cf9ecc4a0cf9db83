import { createKeys } from '@hushryd/platform/redis/keys';
import type { TestScope } from '@hushryd/platform/testing/engines';
import { Redis } from 'ioredis';
import { nameOf } from './heard.ts';
import type { System } from './system.ts';

export interface PublishedPositions {
  /** `run:seq` of every position that was published as this trip's, in the order of publishing, each once. */
  ofTrip(tripId: string): readonly string[];
  /** Messages that did not follow the one before. None, or what is said of published positions is not all. */
  readonly gaps: readonly string[];
}

const partitions = 16;
const positionKind = 1;

/** Listens to the position feed itself, beside the realtime nodes. The format is that of docs/redis-keys.md, read here once more. */
export async function followPublished(t: TestScope, system: System): Promise<PublishedPositions> {
  const keys = createKeys({ prefix: system.redisPrefix, partitions });
  const redis = new Redis(system.redisUrl);
  t.teardown(() => redis.disconnect());
  const published = new Map<string, Set<string>>();
  const lastNumbers = new Map<string, number>();
  const gaps: string[] = [];

  redis.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
    const number = message.readDoubleLE(0);
    const last = lastNumbers.get(String(channel));
    if (last !== undefined && number !== last + 1) gaps.push(`${channel}: ${number} after ${last}`);
    lastNumbers.set(String(channel), number);
    for (const { tripId, ...place } of readRecords(message)) {
      const ofTrip = published.get(tripId) ?? new Set();
      published.set(tripId, ofTrip.add(nameOf(place)));
    }
  });
  for (let p = 0; p < partitions; p += 1) await redis.ssubscribe(keys.positionFeed(p));

  return { ofTrip: (tripId) => [...(published.get(tripId) ?? [])], gaps };
}

/** Positions of a message, '' for those of no trip. Records: u8 kind, u8 length + driver, and u8 length + packed position, unless gone. */
function* readRecords(message: Buffer): Generator<{ tripId: string; run: number; seq: number }> {
  for (let at = 8; at < message.length; ) {
    const kind = message.readUInt8(at);
    at += 2 + message.readUInt8(at + 1);
    if (kind !== positionKind) continue;
    const position = message.subarray(at + 1, at + 1 + message.readUInt8(at));
    at += 1 + position.length;
    const tripLength = position.readUInt8(36);
    yield {
      run: position.readDoubleLE(1),
      seq: position.readUInt32LE(9),
      tripId: position.toString('latin1', 37, 37 + tripLength),
    };
  }
}
