import { createPeriodic } from '../lifecycle/periodic.ts';
import type { Logger } from '../logging/logger.ts';
import type { RedisConnections } from './connect.ts';
import { toRedisError } from './unavailable.ts';

/** One partition: where its messages come, and where the number of the last one is stored. */
export interface FeedPartition {
  readonly channel: string;
  readonly numberKey: string;
}

export interface NumberedFeed {
  /** Listen to every partition. May be tried again. @throws AppError `redis_unavailable` */
  start(): Promise<void>;
  close(): Promise<void>;
}

interface PartitionState {
  /** Of the last message heard; undefined until the stored number is known. */
  number: number | undefined;
  /** Since when the stored number has been ahead of what was heard. */
  behindSinceMs: number | undefined;
  isMending: boolean;
  /** Something was missed while mending was under way: what it had read by then may be old. */
  mustMendAgain: boolean;
}

/** No message has it, so whatever comes or is stored next shows a gap. */
const NOWHERE = -1;
/** A message that was published is here by then. */
const arrivesWithinMs = 1000;

/**
 * Messages of all partitions that nobody may miss unnoticed, over pub/sub, which loses some without a word.
 *
 * Publishers number them, partition by partition (INCR in the script that publishes). Something was missed where a message is not last +
 * 1, where the stored number stays ahead of the feed for 1 s (a subscriber can starve without an error), where it stands behind the
 * feed (a failover to a replica that had less), and after every new connection. Then `onGap` is called to read the truth; a
 * gap meanwhile makes it read once more, and one that fails is tried again with the next look.
 *
 * @param onMessage passes the message on and says its number
 * @param onGap one at a time a partition; rejects where the truth could not be read
 * Cost: no command while the feed runs, but one GET a partition every `checkEveryMs`.
 */
export function createNumberedFeed({
  name,
  connections,
  partitions,
  onMessage,
  onGap,
  log,
  checkEveryMs = 2000,
  now = Date.now,
}: {
  name: string;
  connections: RedisConnections;
  partitions: readonly FeedPartition[];
  onMessage: (message: Buffer, partition: number) => number;
  onGap: (partition: number) => Promise<void>;
  log: Logger;
  checkEveryMs?: number;
  now?: () => number;
}): NumberedFeed {
  const redis = connections.commands;
  const subscriber = connections.subscriber();
  const partitionByChannel = new Map(partitions.map(({ channel }, partition) => [channel, partition]));
  const states: PartitionState[] = partitions.map(() => ({
    number: undefined,
    behindSinceMs: undefined,
    isMending: false,
    mustMendAgain: false,
  }));
  const checker = createPeriodic({ name: `check ${name}`, everyMs: checkEveryMs, run: checkAll, log });
  let isStarted = false;
  let isClosed = false;

  subscriber.on('smessageBuffer', (channel: Buffer, message: Buffer) => {
    const partition = partitionByChannel.get(channel.toString('latin1'));
    if (partition === undefined) return;
    const state = states[partition] as PartitionState;
    const last = state.number;
    state.number = onMessage(message, partition);
    state.behindSinceMs = undefined;
    if (last !== undefined && state.number !== last + 1) void mend(partition);
  });
  subscriber.on(connections.isCluster ? 'subscribersReady' : 'ready', () => {
    if (isStarted && !isClosed) void beginAgain();
  });

  async function checkAll(): Promise<void> {
    await Promise.all(partitions.map((_, partition) => check(partition)));
  }

  async function check(partition: number): Promise<void> {
    const state = states[partition] as PartitionState;
    const heardBefore = state.number;
    const stored = await readStored(partition);
    if (state.number === undefined) {
      // Nothing heard yet: from here on, this is what the feed has to reach.
      state.number = stored;
      return;
    }
    if (state.number !== heardBefore || stored === state.number) {
      state.behindSinceMs = undefined;
      return;
    }
    // What was heard is forgotten: no message on its way explains that.
    const hasGoneBack = stored < state.number;
    state.behindSinceMs ??= now();
    if (hasGoneBack || now() - state.behindSinceMs >= arrivesWithinMs) await renew(partition);
  }

  async function readStored(partition: number): Promise<number> {
    return Number(await redis.get((partitions[partition] as FeedPartition).numberKey));
  }

  /** Subscribe once more, and from where the feed stands then. */
  async function renew(partition: number): Promise<void> {
    const state = states[partition] as PartitionState;
    await subscriber.ssubscribe((partitions[partition] as FeedPartition).channel);
    const heardBefore = state.number;
    const stored = await readStored(partition);
    if (state.number === heardBefore) state.number = stored;
    state.behindSinceMs = undefined;
    await mend(partition);
  }

  /** Over a new connection: the messages of the time without one are gone. */
  async function beginAgain(): Promise<void> {
    log.info({ feed: name }, 'feed connected anew, reading what it may have missed');
    await Promise.all(
      partitions.map((_, partition) =>
        renew(partition).catch(() => {
          (states[partition] as PartitionState).number = NOWHERE;
        }),
      ),
    );
  }

  async function mend(partition: number): Promise<void> {
    const state = states[partition] as PartitionState;
    state.mustMendAgain = true;
    if (state.isMending || isClosed) return;
    state.isMending = true;
    try {
      while (state.mustMendAgain) {
        state.mustMendAgain = false;
        await onGap(partition);
      }
    } catch (err) {
      state.number = NOWHERE;
      if (!isClosed) log.warn({ err, feed: name, partition }, 'what was missed could not be read, trying again');
    } finally {
      state.isMending = false;
    }
  }

  return {
    async start() {
      try {
        // One channel a call: on a cluster they lie in different slots.
        await Promise.all(partitions.map(({ channel }) => subscriber.ssubscribe(channel)));
        await checkAll();
      } catch (error) {
        throw toRedisError(error);
      }
      isStarted = true;
      checker.start();
    },
    async close() {
      isClosed = true;
      await checker.close();
      subscriber.disconnect();
    },
  };
}
