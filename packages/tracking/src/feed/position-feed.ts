import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisConnections } from '@hushryd/platform/redis/connect';
import type { Keys } from '@hushryd/platform/redis/keys';
import { toRedisError } from '@hushryd/platform/redis/unavailable';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { decodePosition, feedNumber, type PositionSink, readFeedMessage } from './packed-positions.ts';

export interface PositionFeed {
  /** Subscribe to every partition, then read what is there already (scope `all`). @throws AppError `redis_unavailable` */
  start(): Promise<void>;
  close(): Promise<void>;
}

/** Which drivers to read again after a gap: the ones watched here, or everything the partition has. */
export type RepairScope = { kind: 'all' } | { kind: 'watched'; drivers(partition: number): readonly string[] };

interface PartitionState {
  /** Of the last message heard; undefined until the stored number is known. */
  number: number | undefined;
  /** Since when the stored number has been ahead of what was heard. */
  behindSinceMs: number | undefined;
  isRepairing: boolean;
  /** Something was missed while a repair was reading: what it had read by then may be old. */
  mustRepairAgain: boolean;
}

const readAtOnce = 500;

/**
 * Every position of every driver as it moves: one channel a partition, packed and numbered by the write script.
 *
 * A message that is not last + 1, a new connection, or a stored number that stays ahead of the feed for 1 s (a subscriber can starve
 * without an error) means that something was missed. Then the partition's positions are read again and passed to the sink as if they
 * had come by the feed; the sink keeps the newest by (run, seq), so hearing a position twice does no harm. Of watched drivers, those
 * that have no position any more are reported gone; whoever keeps all positions forgets old ones by their age.
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
  checkEveryMs = 2000,
  now = Date.now,
}: {
  connections: RedisConnections;
  keys: Keys;
  sink: PositionSink;
  scope: RepairScope;
  log: Logger;
  telemetry: Telemetry;
  checkEveryMs?: number;
  now?: () => number;
}): PositionFeed {
  const redis = connections.commands;
  const subscriber = connections.subscriber();
  const channels = Array.from({ length: keys.partitions }, (_, partition) => keys.positionFeed(partition));
  const partitionByChannel = new Map(channels.map((channel, partition) => [channel, partition]));
  const states: PartitionState[] = channels.map(() => ({
    number: undefined,
    behindSinceMs: undefined,
    isRepairing: false,
    mustRepairAgain: false,
  }));
  const gaps = telemetry.counter({
    name: 'position_feed_gaps_total',
    help: 'Times that messages of the position feed were missed',
  });
  const checker = createPeriodic({ name: 'check position feed', everyMs: checkEveryMs, run: checkNumbers, log });

  subscriber.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
    const partition = partitionByChannel.get(channel.toString('latin1'));
    if (partition === undefined) return;
    const state = states[partition] as PartitionState;
    const number = feedNumber(message);
    const isNext = state.number === undefined || number === state.number + 1;
    state.number = number;
    state.behindSinceMs = undefined;
    readFeedMessage(message, sink);
    if (!isNext) void repair(partition);
  });

  async function checkNumbers(): Promise<void> {
    await Promise.all(
      states.map(async (state, partition) => {
        const heardBefore = state.number;
        const stored = Number(await redis.get(keys.positionFeedNumber(partition)));
        if (state.number === undefined) {
          // Nothing heard yet: from here on, this is what the feed has to reach.
          state.number = stored;
          return;
        }
        const isBehind = state.number === heardBefore && stored !== state.number;
        if (!isBehind) state.behindSinceMs = undefined;
        else if (state.behindSinceMs === undefined) state.behindSinceMs = now();
        else if (now() - state.behindSinceMs >= 1000) {
          await subscriber.ssubscribe(keys.positionFeed(partition));
          state.number = stored;
          state.behindSinceMs = undefined;
          await repair(partition);
        }
      }),
    );
  }

  /** One repair at a time a partition; a gap meanwhile makes it read once more. */
  async function repair(partition: number): Promise<void> {
    const state = states[partition] as PartitionState;
    state.mustRepairAgain = true;
    if (state.isRepairing) return;
    state.isRepairing = true;
    log.warn({ partition }, 'positions were missed, reading them again');
    try {
      while (state.mustRepairAgain) {
        state.mustRepairAgain = false;
        gaps.inc();
        if (scope.kind === 'all') await readAll(partition);
        else await readWatched(partition, scope.drivers(partition));
      }
    } catch (err) {
      // Forget the number: the next check finds the feed behind and repairs again.
      state.number = -1;
      log.warn({ err, partition }, 'missed positions could not be read, trying again');
    } finally {
      state.isRepairing = false;
    }
  }

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
      try {
        await Promise.all(channels.map((channel) => subscriber.ssubscribe(channel)));
      } catch (error) {
        throw toRedisError(error);
      }
      await checkNumbers();
      // One partition after another: taking all of them in at once keeps the loop busy past the deadline of commands long answered.
      if (scope.kind === 'all') for (const partition of channels.keys()) await readAll(partition);
      checker.start();
    },
    async close() {
      await checker.close();
      subscriber.disconnect();
    },
  };
}
