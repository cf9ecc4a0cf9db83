import { setTimeout as sleep } from 'node:timers/promises';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';

export interface DrainResult {
  /** Left in peace: by themselves when the hint said so, or with the close frame after everything we had for them. */
  socketsDrained: number;
  /** Did not take it in time, and were cut. */
  socketsForced: number;
}

/** A handful of sockets needs no eight seconds to leave. */
const minSocketsPerSecond = 500;
const sliceMs = 50;
const lateSocketsMs = 2000;

/**
 * Send everybody away without a crowd at the next door: each socket hears when to come back, spread over the drain time, and is
 * closed (1012) a slice at a time. Whoever still has not taken its last bytes two seconds later is cut.
 *
 * @param flush what still has to be answered: run between the announcement and the first close
 */
export async function drainConnections({
  connections,
  drainMs,
  flush,
  random = Math.random,
}: {
  connections: Connections;
  drainMs: number;
  flush: () => Promise<void>;
  random?: () => number;
}): Promise<DrainResult> {
  const leaving = [...connections];
  const overMs = Math.min(drainMs, (leaving.length / minSocketsPerSecond) * 1000);
  for (const connection of leaving) {
    connection.sendFrame({ type: 'draining', retryInMs: Math.round(random() * overMs) });
  }
  await flush();

  const closeTaken = (connection: Connection) => {
    if (!connection.isOpen || connection.bufferedBytes > 0) return;
    connection.close(closeCodes.draining, 'draining');
  };

  const slices = Math.max(1, Math.floor(overMs / sliceMs));
  const sliceSize = Math.ceil(leaving.length / slices);
  for (let at = 0; at < leaving.length; at += sliceSize) {
    for (const connection of leaving.slice(at, at + sliceSize)) closeTaken(connection);
    if (at + sliceSize < leaving.length) await sleep(sliceMs);
  }
  for (let waitedMs = 0; waitedMs < lateSocketsMs && connections.size > 0; waitedMs += sliceMs) {
    await sleep(sliceMs);
    for (const connection of connections) closeTaken(connection);
  }

  const stuck = [...connections];
  for (const connection of stuck) connection.cut();
  return { socketsDrained: Math.max(0, leaving.length - stuck.length), socketsForced: stuck.length };
}
