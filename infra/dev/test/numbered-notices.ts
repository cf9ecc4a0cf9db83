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
  /** The number that has to come first: whatever is said after the subscription stood. Undefined before. */
  first: number | undefined;
  /** Numbers in the order in which the app was told of them. */
  readonly numbers: number[];
  /** Times that the app was told to begin again. */
  losses: number;
  /** Times that the subscription stood: at first, after each reconnect, and where something was missed. */
  subscriptions: number;
}

/** Says numbered things to users, and keeps who was told what. */
export interface NumberedNotices {
  /**
   * Say the next `count` numbers to each user, one round every `everyMs`.
   * @param textLength of each notice, to fill what is between
   */
  say(count: number, everyMs: number, textLength?: number): Promise<void>;
  readonly lastNumber: number;
  /** Follow a user's notices. Nobody may say anything before `first` is there. */
  listen(client: RiderClient, userId: string): Told;
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
    async say(count, everyMs, textLength = 0) {
      const text = 'x'.repeat(textLength);
      for (let n = 0; n < count; n += 1) {
        number += 1;
        const at = new Date().toISOString();
        const notice = { name: 'notice', noticeId: `n${number}`, at, title: String(number), text };
        await Promise.all(userIds.map((userId) => publishEvent(userTopic(userId), notice)));
        await sleep(everyMs);
      }
    },
    get lastNumber() {
      return number;
    },
    listen(client, userId) {
      const told: Told = { first: undefined, numbers: [], losses: 0, subscriptions: 0 };
      client.watchUser(userId, {
        onSubscribed() {
          told.first ??= number + 1;
          told.subscriptions += 1;
        },
        onEvent(event) {
          if (event.name === 'notice') told.numbers.push(Number(event.title));
        },
        onMissed() {
          told.losses += 1;
        },
      });
      return told;
    },
  };
}

/**
 * Each number once, in order, without a hole, from the first that was said since the subscription stood to the last; where something is
 * gone for good the app must have been told so.
 *
 * @throws Error naming what is wrong
 */
export function checkTold(userId: string, { first, numbers, losses }: Told, lastNumber: number): void {
  if (first === undefined) throw new Error(`${userId} was never subscribed`);
  let holes = 0;
  let next = first;
  for (const number of numbers) {
    if (number < next) throw new Error(`${userId} was told ${number} after ${next - 1}`);
    if (number > next) holes += 1;
    next = number + 1;
  }
  if (holes > losses) throw new Error(`${userId}: ${holes} holes, and was told of ${losses} losses`);
  if (next !== lastNumber + 1) throw new Error(`${userId} was told up to ${next - 1}, said was ${lastNumber}`);
}
