import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisConnections } from '@hushryd/platform/redis/connect';
import type { Keys } from '@hushryd/platform/redis/keys';
import { createNumberedFeed } from '@hushryd/platform/redis/numbered-feed';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { decodePosition, feedNumber, type PositionSink, readFeedMessage } from './packed-positions.ts';

export interface PositionFeed {
  /** Subscribe to every partition, then read what is there already (scope `all`). @throws AppError `redis_unavailable` */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Which drivers to read again after a gap: the ones watched here, or everything the partition has. */
export type RepairScope = { kind: 'all' } | { kind: 'watched'; drivers(partition: number): readonly string[] };

const readAtOnce = 500;

/**
 * Every position of every driver as it moves: one channel a partition, packed and numbered by the write script.
 *
 * Where messages were missed (numbered-feed.ts says how that shows), the partition's positions are read again and passed to the sink
 * as if they had come by the feed; the sink keeps the newest by (run, seq), so hearing a position twice does no harm. Of watched drivers,
 * those that have no position any more are reported gone; whoever keeps all positions forgets old ones by their age.
 *
 * Cost: no Redis command while the feed runs, but one GET a partition every `checkEveryMs`.
 */
export function createPositionFeed({
  connections,
  keys,
  sink,
  scope,
  log,
  telemetry,
  checkEveryMs,
  onMessage,
}: {
  connections: RedisConnections;
  keys: Keys;
  sink: PositionSink;
  scope: RepairScope;
  log: Logger;
  telemetry: Telemetry;
  checkEveryMs?: number;
  /** After each message: feed-pace.ts counts them. */
  onMessage?: () => void;
}): PositionFeed {
  const redis = connections.commands;
  const gaps = telemetry.counter({
    name: 'position_feed_gaps_total',
    help: 'Times that messages of the position feed were missed',
  });
  const feed = createNumberedFeed({
    name: 'position feed',
    connections,
    partitions: Array.from({ length: keys.partitions }, (_, partition) => ({
      channel: keys.positionFeed(partition),
      numberKey: keys.positionFeedNumber(partition),
    })),
    onMessage(message) {
      readFeedMessage(message, sink);
      onMessage?.();
      return feedNumber(message);
    },
    async onGap(partition) {
      gaps.inc();
      if (scope.kind === 'all') await readAll(partition);
      else await readWatched(partition, scope.drivers(partition));
    },
    log,
    ...(checkEveryMs !== undefined && { checkEveryMs }),
  });

  async function readAll(partition: number): Promise<void> {
    let cursor = '0';
    do {
      const [next, entries] = await redis.hscanBuffer(keys.positions(partition), cursor, 'COUNT', readAtOnce);
      cursor = next.toString();
      for (let at = 0; at + 1 < entries.length; at += 2) {
        const driverId = (entries[at] as Buffer).toString('latin1');
        if (sink.wants(driverId)) sink.onPosition(decodePosition(driverId, entries[at + 1] as Buffer));
      }
    } while (cursor !== '0');
  }

  async function readWatched(partition: number, drivers: readonly string[]): Promise<void> {
    for (let at = 0; at < drivers.length; at += readAtOnce) {
      const asked = drivers.slice(at, at + readAtOnce);
      const values = await redis.hmgetBuffer(keys.positions(partition), ...asked);
      for (const [index, driverId] of asked.entries()) {
        const value = values[index];
        if (value) sink.onPosition(decodePosition(driverId, value));
        else sink.onGone(driverId);
      }
    }
  }

  return {
    async start() {
      await feed.start();
      // One partition after another: taking all of them in at once keeps the loop busy past the deadline of commands long answered.
      if (scope.kind === 'all')
        for (let partition = 0; partition < keys.partitions; partition += 1) await readAll(partition);
    },
    close: () => feed.close(),
  };
}
