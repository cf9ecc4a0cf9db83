import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { type AccessNews, createAccessLogReader } from './access-log.ts';

/** @param askedAtMs when the look began: what is not in the news was so at that time */
export type OnAccessNews = (news: AccessNews, askedAtMs: number) => void | Promise<void>;

export interface AccessFollower {
  /** Be told of every look. Before `start`. */
  follow(onNews: OnAccessNews): void;
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Follows the access logs of all partitions, for everything on this node that has to act on them: who may watch a trip, whose tokens
 * were revoked, which socket has to end. One reader, so that 16 logs are read once a second and not once for each.
 */
export function createAccessFollower({
  redis,
  keys,
  log,
  readEveryMs = 1000,
  now = Date.now,
}: {
  redis: RedisClient;
  keys: Keys;
  log: Logger;
  readEveryMs?: number;
  now?: () => number;
}): AccessFollower {
  const reader = createAccessLogReader({ redis, keys, now });
  const followers: OnAccessNews[] = [];
  const periodic = createPeriodic({ name: 'follow access logs', everyMs: readEveryMs, run: look, log });

  async function look(): Promise<void> {
    const askedAtMs = now();
    const news = await reader.read();
    const acted = await Promise.allSettled(followers.map(async (onNews) => onNews(news, askedAtMs)));
    for (const [, failure] of news.failures) throw failure;
    for (const result of acted) if (result.status === 'rejected') throw result.reason;
  }

  return {
    follow: (onNews) => void followers.push(onNews),
    async start() {
      await look();
      periodic.start();
    },
    close: () => periodic.close(),
  };
}
