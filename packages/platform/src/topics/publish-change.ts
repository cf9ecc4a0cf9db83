import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript, loadScript } from '../redis/scripts.ts';
import { toRedisError } from '../redis/unavailable.ts';
import { createEpoch, eventsKeepMs, eventsKept, headKeepMs, type TopicHead } from './event-log.ts';

/** Nodes read the access logs each second; whoever was away for longer reads everything again. */
export const accessLogKeepMs = 600_000;

export interface TopicChange {
  /** `trip:{id}` and the like: letters, digits, `_ - :` only. */
  topic: string;
  recordKey: string;
  /** Must hold the same `version`. */
  record: { version: number };
  recordKeepMs: number;
  /** What the access log tells every node. */
  logEntry: string;
  /** Appended to the topic's log and published; undefined where it is not known, which readers of the log see as a gap. */
  event?: object | undefined;
  /** Somebody else should have said this: the event only follows a record that is there. A log that was lost does not begin with it. */
  isRepair?: boolean;
}

export type PublishChange = (change: TopicChange) => Promise<{ applied: boolean; head?: TopicHead }>;

/**
 * Put a newer record in place, tell every node, append the event to the topic's log and publish it: all or nothing, in one script, so
 * that nobody who is no longer allowed to watch gets an event that came after.
 *
 * @returns `applied: false` where Redis already has this version or a newer one; then nothing was appended or published
 * @throws AppError `redis_unavailable`; safe to repeat, the version makes it idempotent
 * Cost: one EVALSHA.
 */
export function createPublishChange({ redis, keys }: { redis: RedisClient; keys: Keys }): PublishChange {
  const script = defineScript(redis, {
    name: 'publishChange',
    lua: loadScript(import.meta.url, './publish-change.lua'),
    numberOfKeys: 6,
  });

  return async ({ topic, recordKey, record, recordKeepMs, logEntry, event, isRepair = false }) => {
    const t = keys.topicPartition(topic);
    const scriptKeys = [
      recordKey,
      keys.accessLog(t),
      keys.accessLogNumber(t),
      keys.topicHead(topic),
      keys.topicEvents(topic),
      keys.eventFeedNumber(t),
    ];
    const args = [
      keys.eventFeed(t),
      topic,
      record.version,
      JSON.stringify(record),
      recordKeepMs,
      logEntry,
      accessLogKeepMs,
      event === undefined ? '' : JSON.stringify(event),
      createEpoch(),
      eventsKept,
      eventsKeepMs,
      headKeepMs,
      isRepair ? '1' : '',
    ];
    try {
      const [applied, epoch, offset] = (await script(scriptKeys, args)) as [number, string, number];
      return { applied: applied === 1, ...(epoch !== '' && { head: { epoch, offset } }) };
    } catch (error) {
      throw toRedisError(error);
    }
  };
}
