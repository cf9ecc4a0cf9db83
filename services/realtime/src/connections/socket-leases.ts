import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import { nodeOf, type RealtimeNodes } from '@hushryd/platform/nodes/realtime-nodes';
import type { RedisClient } from '@hushryd/platform/redis/client';
import type { Keys } from '@hushryd/platform/redis/keys';
import { defineScript, loadScript } from '@hushryd/platform/redis/scripts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';

export interface SocketLeases {
  /** @throws AppError `too_many_sockets` where this node alone holds as many of the user's sockets as there may be */
  assertRoomHere(userId: string): void;
  /** @returns false where the user has all its places in use, on whichever nodes */
  take(connection: Connection): Promise<boolean>;
  /** The socket's token was refreshed. */
  renew(connection: Connection): void;
  release(connection: Connection): void;
  /** Redis was away, or lost what it had: write the leases of all sockets again, a slice at a time. */
  restore(): Promise<void>;
}

/**
 * 5,000 a second: all nodes restore in the same moment, just when phones come back and send what they kept. 15,000 sockets take three
 * seconds, in which the limit is counted too low.
 */
const restoredAtOnce = 100;
const restorePauseMs = 20;

/**
 * How many sockets a user may have, counted over all nodes in Redis. A lease lasts as long as the socket's token; what a node held that
 * is not up any more is not counted. So nothing is written while a socket stands.
 *
 * Without Redis only the sockets on this node are counted: a limit that cannot be asked must not keep people out.
 *
 * Cost: one EVALSHA a new socket, one ZREM at its end; more only for users at their limit.
 */
export function createSocketLeases({
  redis,
  keys,
  nodes,
  nodeId,
  maxPerUser,
  connections,
  log,
}: {
  redis: RedisClient;
  keys: Keys;
  nodes: Pick<RealtimeNodes, 'alive'>;
  nodeId: string;
  maxPerUser: number;
  connections: Connections;
  log: Logger;
}): SocketLeases {
  const takeLease = defineScript(redis, {
    name: 'takeLease',
    lua: loadScript(import.meta.url, './take-lease.lua'),
    numberOfKeys: 1,
  });
  async function takePlace({ id, identity }: Connection): Promise<boolean> {
    const key = keys.userSockets(identity.userId);
    const args = [id, identity.expiresAtMs, maxPerUser];
    const holders = (await takeLease([key], args)) as string[];
    if (holders.length === 0) return true;
    const dead = await findDead(holders);
    if (dead.length === 0) return false;
    await redis.zrem(key, ...dead);
    return ((await takeLease([key], args)) as string[]).length === 0;
  }

  async function findDead(holders: readonly string[]): Promise<string[]> {
    const alive = await nodes.alive();
    return holders.filter((connectionId) => {
      const node = nodeOf(connectionId);
      // A release that Redis did not hear leaves a place behind.
      return node === nodeId ? connections.get(connectionId) === undefined : !alive.has(node);
    });
  }

  /** A lease that was not released ends with its token. */
  const ignoreFailure = (): void => undefined;

  /** Whoever has a socket keeps it, limit or not. */
  const renew = ({ id, identity: { userId, expiresAtMs } }: Connection): Promise<unknown> =>
    takeLease([keys.userSockets(userId)], [id, expiresAtMs, Number.MAX_SAFE_INTEGER]);

  return {
    assertRoomHere(userId) {
      if (connections.of(userId).length < maxPerUser) return;
      throw new AppError('too_many_sockets', { retryAfterMs: 1000 });
    },
    async take(connection) {
      try {
        return await takePlace(connection);
      } catch (err) {
        log.debug({ err }, 'sockets of a user counted on this node alone');
        return true;
      }
    },
    renew: (connection) => void renew(connection).catch(ignoreFailure),
    release({ id, identity: { userId } }) {
      redis.zrem(keys.userSockets(userId), id).catch(ignoreFailure);
    },
    async restore() {
      let slice: Promise<unknown>[] = [];
      for (const connection of [...connections]) {
        if (!connection.isOpen) continue;
        slice.push(renew(connection));
        if (slice.length < restoredAtOnce) continue;
        await Promise.all(slice);
        slice = [];
        await sleep(restorePauseMs);
      }
      await Promise.all(slice);
    },
  };
}
