import type { NodeStats } from '@hushryd/contracts/http/realtime';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RealtimeNodes } from '@hushryd/platform/nodes/realtime-nodes';
import type { SocketLeases } from './socket-leases.ts';

export interface NodePresence {
  /** Say how this node is, and look who else is there. To be called every `sayEveryMs`. @throws AppError `redis_unavailable` */
  say(): Promise<void>;
  /** Redis was away and is back. */
  redisIsBack(): void;
  /** Nodes that were up at the last look, this one included. */
  readonly aliveNodes: number;
}

/**
 * This node as the others see it: its own lease, and those of its sockets, which are written again where Redis may have lost them. It has
 * where it does not know this node any more, and may have where it was away: sockets opened meanwhile have none, and a failover forgets
 * the newest. Tried until all of them are written.
 */
export function createNodePresence({
  nodes,
  leases,
  stats,
  log,
}: {
  nodes: Pick<RealtimeNodes, 'say' | 'alive'>;
  leases: Pick<SocketLeases, 'restore'>;
  stats: () => NodeStats;
  log: Logger;
}): NodePresence {
  let aliveNodes = 1;
  let mustRestore = false;
  let restoring: Promise<void> | undefined;

  async function restoreUntilDone(): Promise<void> {
    while (mustRestore) {
      // Before it begins: what is lost meanwhile asks for another time.
      mustRestore = false;
      try {
        await leases.restore();
      } catch (error) {
        mustRestore = true;
        throw error;
      }
    }
  }

  function restore(): Promise<void> {
    restoring ??= restoreUntilDone().finally(() => {
      restoring = undefined;
    });
    return restoring;
  }

  return {
    async say() {
      try {
        if (await nodes.say(stats())) mustRestore = true;
      } catch (error) {
        // Redis may have said that it had not heard of this node, and will not say so again.
        mustRestore = true;
        throw error;
      }
      aliveNodes = (await nodes.alive()).size;
      await restore();
    },
    redisIsBack() {
      mustRestore = true;
      restore().catch((err: unknown) => log.warn({ err }, 'leases of sockets not restored, trying again'));
    },
    get aliveNodes() {
      return aliveNodes;
    },
  };
}
