import type { Position } from '@hushryd/contracts/fix';
import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisConnections } from '@hushryd/platform/redis/connect';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { positionMaxAgeMs } from '../positions/read-position.ts';
import { createPositionFeed } from './position-feed.ts';

export interface LivePositions extends Iterable<Position> {
  /** Subscribe, then read everything there is: ready when this resolves. @throws AppError `redis_unavailable` */
  start(): Promise<void>;
  close(): Promise<void>;
  get(driverId: string): Position | undefined;
  readonly size: number;
  /** False before they were read for the first time: that a driver is not there says nothing then. */
  readonly isRead: boolean;
  /** Told of each change, after it is in place; `undefined` when a driver is gone. @returns stops telling */
  onChange(listener: (driverId: string, position: Position | undefined) => void): () => void;
}

const forgetEveryMs = 30_000;

/**
 * The newest position of every driver, in memory, kept current by the position feed.
 *
 * Bounded: above `maxDrivers` further drivers are left out and counted. Readers ignore positions older than five minutes; the worker
 * takes them away.
 *
 * Cost: about 300 bytes a driver.
 */
export function createLivePositions({
  connections,
  keys,
  log,
  telemetry,
  maxDrivers = 1_000_000,
  now = Date.now,
}: {
  connections: RedisConnections;
  keys: Keys;
  log: Logger;
  telemetry: Telemetry;
  maxDrivers?: number;
  now?: () => number;
}): LivePositions {
  const positions = new Map<string, Position>();
  let isRead = false;
  const listeners = new Set<(driverId: string, position: Position | undefined) => void>();
  const leftOut = telemetry.counter({
    name: 'live_positions_left_out_total',
    help: 'Positions not kept in memory because too many drivers are live',
  });

  const sink = {
    wants: () => true,
    onPosition(position: Position) {
      const known = positions.get(position.driverId);
      if (known !== undefined && isOlder(position, known)) return;
      if (known === undefined && positions.size >= maxDrivers) {
        leftOut.inc();
        return;
      }
      positions.set(position.driverId, position);
      for (const listener of listeners) listener(position.driverId, position);
    },
    onGone(driverId: string) {
      if (!positions.delete(driverId)) return;
      for (const listener of listeners) listener(driverId, undefined);
    },
  };
  const feed = createPositionFeed({ connections, keys, sink, scope: { kind: 'all' }, log, telemetry });
  const cleaner = createPeriodic({ name: 'forget old positions', everyMs: forgetEveryMs, run: forgetOld, log });

  /** A removal may have been missed in a gap; age tells as well. */
  function forgetOld(): void {
    const oldestMs = now() - positionMaxAgeMs;
    for (const position of positions.values()) {
      if (position.recordedAtMs < oldestMs) sink.onGone(position.driverId);
    }
  }

  return {
    async start() {
      await feed.start();
      isRead = true;
      cleaner.start();
    },
    async close() {
      await cleaner.close();
      await feed.close();
      listeners.clear();
      positions.clear();
    },
    get: (driverId) => positions.get(driverId),
    get size() {
      return positions.size;
    },
    get isRead() {
      return isRead;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    [Symbol.iterator]: () => positions.values(),
  };
}

/** The same fix may come again with another state (a driver went off, a trip ended), so an equal one is not older. */
export function isOlder(position: Position, known: Position): boolean {
  return position.run < known.run || (position.run === known.run && position.seq < known.seq);
}
