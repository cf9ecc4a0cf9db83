import type { Position } from '@hushryd/contracts/fix';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import type { TestScope } from '@hushryd/platform/testing/engines';
import { nameOf } from './heard.ts';
import { must } from './room-checks.ts';
import type { System } from './system.ts';

export interface PublishedPositions {
  /** `run:seq` of every position that was published as this trip's, in the order of publishing, each once. */
  ofTrip(tripId: string): readonly string[];
  /** Messages that did not follow the one before. None, or what is said of published positions is not all. */
  readonly gaps: readonly string[];
}

/**
 * Who was in a trip's room from before its first position, and read as fast as it came, was shown all that was published, once and in order.
 * @throws Error where that is not so
 */
export function checkRoom(
  published: PublishedPositions,
  { tripId, heard }: { tripId: string; heard: readonly Position[] },
) {
  const wanted = published.ofTrip(tripId);
  const received = heard.map(nameOf);
  must(String(received) === String(wanted), () => `${wanted} published of ${tripId}, ${received} received`);
}

const positionKind = 1;

/** Listens to the position feed itself, beside the realtime nodes. The format is that of docs/redis-keys.md, read here once more. */
export async function followPublished(t: TestScope, system: System): Promise<PublishedPositions> {
  const keys = createKeys(system.redis);
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const connections = await connectRedis({ settings: system.redis, role: 'live', log });
  t.teardown(() => connections.close());
  const channels = Array.from({ length: keys.partitions }, (_, p) => keys.positionFeed(p));
  const subscriber = connections.subscriber();
  const published = new Map<string, Set<string>>();
  const lastNumbers = new Map<string, number>();
  const gaps: string[] = [];

  subscriber.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
    if (!channels.includes(String(channel))) return;
    const number = message.readDoubleLE(0);
    const last = lastNumbers.get(String(channel));
    if (last !== undefined && number !== last + 1) gaps.push(`${channel}: ${number} after ${last}`);
    lastNumbers.set(String(channel), number);
    for (const { tripId, ...place } of readRecords(message)) {
      const ofTrip = published.get(tripId) ?? new Set();
      published.set(tripId, ofTrip.add(nameOf(place)));
    }
  });
  for (const channel of channels) await subscriber.ssubscribe(channel);

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
