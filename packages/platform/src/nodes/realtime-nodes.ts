import type { NodeStats } from '@hushryd/contracts/http/realtime';
import type { RedisClient } from '../redis/client.ts';
import type { Keys } from '../redis/keys.ts';
import { defineScript, loadScript } from '../redis/scripts.ts';
import { toRedisError } from '../redis/unavailable.ts';

/** A node that has not said anything for so long is gone. */
export const nodeLeaseMs = 10_000;
/** So that two lost words are no reason to believe it. */
export const sayEveryMs = 3000;
const forgetNodesAfterMs = 3_600_000;

/** A socket of a user, as its lease says. */
export interface SocketLease {
  readonly connectionId: string;
  readonly nodeId: string;
  readonly tokenExpiresAtMs: number;
}

export interface RealtimeNodes {
  /** Renew this node's lease, and say how it is. @returns true where Redis had not heard of it: it starts, or Redis lost what it had */
  say(stats: NodeStats): Promise<boolean>;
  /** Give the lease back at once. */
  leave(nodeId: string): Promise<void>;
  /** Ids of the nodes that are up. */
  alive(): Promise<Set<string>>;
  /** What each of them said last. */
  readStats(): Promise<NodeStats[]>;
  /** A user's sockets on nodes that are up. */
  socketsOf(userId: string): Promise<SocketLease[]>;
}

/** A connection's id is its node's, a dot, and a number. */
export const nodeOf = (connectionId: string): string => connectionId.slice(0, connectionId.lastIndexOf('.'));

/**
 * Which realtime nodes are up: leases, since a node that is killed says no goodbye. What a node wrote about itself or its sockets counts
 * only while its lease lasts, so what it leaves behind disappears within ten seconds.
 *
 * @throws AppError `redis_unavailable` from every function
 */
export function createRealtimeNodes({ redis, keys }: { redis: RedisClient; keys: Keys }): RealtimeNodes {
  const renewNode = defineScript(redis, {
    name: 'renewNode',
    lua: loadScript(import.meta.url, './renew-node.lua'),
    numberOfKeys: 1,
  });
  const aliveNodes = defineScript(redis, {
    name: 'aliveNodes',
    lua: loadScript(import.meta.url, './alive-nodes.lua'),
    numberOfKeys: 1,
  });
  const userSockets = defineScript(redis, {
    name: 'userSockets',
    lua: loadScript(import.meta.url, './user-sockets.lua'),
    numberOfKeys: 1,
  });

  async function alive(): Promise<Set<string>> {
    return new Set((await aliveNodes([keys.realtimeNodes()], [])) as string[]);
  }

  const throwRedisError = (error: unknown): never => {
    throw toRedisError(error);
  };

  return {
    async say(stats) {
      const [added] = await Promise.all([
        renewNode([keys.realtimeNodes()], [stats.nodeId, nodeLeaseMs, forgetNodesAfterMs]),
        redis.set(keys.realtimeNode(stats.nodeId), JSON.stringify(stats), 'PX', nodeLeaseMs),
      ]).catch(throwRedisError);
      return added === 1;
    },
    async leave(nodeId) {
      await Promise.all([redis.zrem(keys.realtimeNodes(), nodeId), redis.del(keys.realtimeNode(nodeId))]).catch(
        throwRedisError,
      );
    },
    alive: () => alive().catch(throwRedisError),
    async readStats() {
      try {
        // One by one: on a cluster they lie in different slots.
        const texts = await Promise.all([...(await alive())].map((nodeId) => redis.get(keys.realtimeNode(nodeId))));
        return texts.filter((text) => text !== null).map((text) => JSON.parse(text) as NodeStats);
      } catch (error) {
        return throwRedisError(error);
      }
    },
    async socketsOf(userId) {
      try {
        const [nodes, found] = await Promise.all([alive(), userSockets([keys.userSockets(userId)], [])]);
        const leases = found as string[];
        const sockets: SocketLease[] = [];
        for (let at = 0; at + 1 < leases.length; at += 2) {
          const connectionId = leases[at] as string;
          const nodeId = nodeOf(connectionId);
          if (nodes.has(nodeId)) sockets.push({ connectionId, nodeId, tokenExpiresAtMs: Number(leases[at + 1]) });
        }
        return sockets;
      } catch (error) {
        return throwRedisError(error);
      }
    },
  };
}
