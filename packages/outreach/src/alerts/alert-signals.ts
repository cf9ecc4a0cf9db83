import { raceTimer } from '@hushryd/platform/lifecycle/race-timer';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';

/** That somebody takes care, by the clock of the node that heard it. */
export interface LateAck {
  by: string;
  atMs: number;
  /** The call in which the key was pressed, where nobody has looked yet whom it called. */
  attemptId?: string;
}

/** What nodes that do not reach the same database tell each other of an alert. */
export interface AlertSignals {
  /** @returns whether Redis has it. Never throws */
  tellAcknowledged(alertId: string, ack: LateAck): Promise<boolean>;
  /** Never throws. */
  tellStored(alertId: string): Promise<void>;
  /** Nothing where Redis does not answer in time, or what is there cannot be read. Never throws. */
  read(alertId: string): Promise<{ ack?: LateAck; isStored: boolean }>;
}

/** Redis gets no longer than this on the way of an alert. Source: design §9. */
const withinMs = 150;
const lifeSeconds = 86_400;

/** @param redis not a connection on which somebody waits for replicas. Cost: one command each. */
export function createAlertSignals({
  redis,
  keys,
}: {
  redis: RedisClient;
  keys: Pick<Keys, 'sosAcknowledged' | 'sosStored'>;
}): AlertSignals {
  const within = <Result>(work: Promise<Result>, otherwise: Result): Promise<Result> =>
    raceTimer(
      work.catch(() => otherwise),
      withinMs,
      () => otherwise,
    );

  return {
    tellAcknowledged: (alertId, ack) =>
      within(
        redis.set(keys.sosAcknowledged(alertId), JSON.stringify(ack), 'EX', lifeSeconds).then(() => true),
        false,
      ),
    async tellStored(alertId) {
      await within(redis.set(keys.sosStored(alertId), '1', 'EX', lifeSeconds), null);
    },
    async read(alertId) {
      const names = [keys.sosAcknowledged(alertId), keys.sosStored(alertId)];
      const [ack, stored] = await within(redis.mget(...names), []);
      const heard = ack == null ? undefined : parseAck(ack);
      return { ...(heard !== undefined && { ack: heard }), isStored: stored != null };
    },
  };
}

/** What nobody can read says nothing: whoever sends goes on. */
function parseAck(text: string): LateAck | undefined {
  try {
    const { by, atMs, attemptId } = JSON.parse(text) as Partial<LateAck>;
    if (typeof by !== 'string' || typeof atMs !== 'number') return undefined;
    return { by, atMs, ...(attemptId !== undefined && { attemptId }) };
  } catch {
    return undefined;
  }
}
