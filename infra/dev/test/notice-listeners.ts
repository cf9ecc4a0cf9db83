import type { TestScope } from '@hushryd/platform/testing/engines';
import { type FaultProxy, startFaultProxy } from '@hushryd/platform/testing/fault-proxy';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createRiderClient, type RiderClient } from '@hushryd/sdk/rider-client';
import { checkTold, type NumberedNotices, type Told } from './numbered-notices.ts';
import type { System } from './system.ts';

/** An app that follows its user's notices through a network of its own. */
export interface NoticeListener {
  readonly userId: string;
  readonly proxy: FaultProxy;
  readonly client: RiderClient;
  readonly told: Told;
}

const healWithinMs = 60_000;

/** One app a user, on the node at `url`; resolves when all their subscriptions stand. */
export async function connectListeners(
  t: TestScope,
  system: System,
  { url, userIds, notices }: { url: string; userIds: readonly string[]; notices: NumberedNotices },
): Promise<NoticeListener[]> {
  const people = await Promise.all(
    userIds.map(async (userId) => {
      const proxy = await startFaultProxy(t, { port: Number(new URL(url).port) });
      const client = createRiderClient({
        ...system.connectionOptions(userId, 'rider'),
        realtimeUrl: `ws://127.0.0.1:${proxy.port}`,
        silenceMs: 2000,
      });
      t.teardown(() => client.close());
      const told = notices.listen(client, userId);
      await client.connect();
      return { userId, proxy, client, told };
    }),
  );
  await waitFor(() => people.every(({ told }) => told.first), { withinMs: healWithinMs, what: 'all subscriptions' });
  return people;
}

export const isToldAll = (people: readonly NoticeListener[], { lastNumber }: NumberedNotices): boolean =>
  people.every(({ told }) => told.numbers.at(-1) === lastNumber);

/**
 * Waits until everybody has been told of the last number, and looks at how they came to it.
 * @throws Error naming who was told wrongly, or not at all
 */
export async function settle(people: readonly NoticeListener[], notices: NumberedNotices): Promise<void> {
  const look = () => {
    for (const { userId, told } of people) checkTold(userId, told, notices.lastNumber);
  };
  await waitFor(() => isToldAll(people, notices), {
    withinMs: healWithinMs,
    what: 'the last notice with everybody',
  }).catch((error: unknown) => {
    look();
    throw error;
  });
  look();
}
