import { setTimeout as sleep } from 'node:timers/promises';
import { userTopic } from '@hushryd/contracts/realtime/topics';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import type { TestScope } from '@hushryd/platform/testing/engines';
import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import type { RiderClient } from '@hushryd/sdk/rider-client';
import type { System } from './system.ts';

/** What one client was told of its topic, and what is wrong with it. */
export interface Told {
  /** Numbers in the order in which the app was told of them. */
  readonly numbers: number[];
  /** Times that the app was told to begin again. */
  losses: number;
}

/** Says numbered things to users, and keeps who was told what. */
export interface NumberedNotices {
  /** Say the next `count` numbers to each user, one round every `everyMs`. */
  say(count: number, everyMs: number): Promise<void>;
  readonly lastNumber: number;
}

export async function startNumberedNotices(
  t: TestScope,
  system: System,
  userIds: readonly string[],
): Promise<NumberedNotices> {
  const settings = { ...system.redis, commandTimeoutMs: 5000 };
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const connections = await connectRedis({ settings, role: 'live', log });
  t.teardown(() => connections.close());
  const publishEvent = createPublishEvent({ redis: connections.commands, keys: createKeys(settings) });
  let number = 0;

  return {
    async say(count, everyMs) {
      for (let n = 0; n < count; n += 1) {
        number += 1;
        const notice = { name: 'notice', noticeId: `n${number}`, at: new Date().toISOString(), title: String(number) };
        await Promise.all(userIds.map((userId) => publishEvent(userTopic(userId), notice)));
        await sleep(everyMs);
      }
    },
    get lastNumber() {
      return number;
    },
  };
}

export function listenToNotices(client: RiderClient, userId: string): Told {
  const told: Told = { numbers: [], losses: 0 };
  client.watchUser(userId, {
    onEvent(event) {
      if (event.name === 'notice') told.numbers.push(Number(event.title));
    },
    onMissed() {
      told.losses += 1;
    },
  });
  return told;
}

/**
 * Each number once, in order, without a hole, from the first that was told to the last that was said; where something is gone for good
 * the app must have been told so.
 *
 * @throws Error naming what is wrong
 */
export function checkTold(userId: string, { numbers, losses }: Told, lastNumber: number): void {
  let holes = 0;
  for (let at = 1; at < numbers.length; at += 1) {
    const [before, now] = [numbers[at - 1] as number, numbers[at] as number];
    if (now <= before) throw new Error(`${userId} was told ${now} after ${before}`);
    if (now > before + 1) holes += 1;
  }
  if (holes > losses) throw new Error(`${userId}: ${holes} holes, and was told of ${losses} losses`);
  if (numbers.at(-1) !== lastNumber)
    throw new Error(`${userId} was told up to ${numbers.at(-1)}, said was ${lastNumber}`);
}
