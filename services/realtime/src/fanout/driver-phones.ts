import type { Logger } from '@hushryd/platform/logging/logger';
import { createHistoryPaces, type HistoryPaces } from '@hushryd/tracking/history/history-paces';
import type { ReadDurable } from '@hushryd/tracking/history/read-durable';
import type { Connection } from '../connections/connection.ts';
import type { DriverRun } from '../connections/driver-session.ts';

export interface DriverPhones extends HistoryPaces {
  /** The connection said `hello`. */
  add(connection: Connection): void;
  remove(connection: Connection): void;
  /** From the durable feed. */
  onDurable(driverId: string, run: number, seq: number): void;
  onResend(driverId: string, run: number, from: number): void;
  /** Tell the phone how far a run is durable, if it is news. A Redis that lost its data begins again lower, which is none. */
  raiseDurable(connection: Connection, run: DriverRun, seq: number): void;
  /** A run's fixes were received; until they are durable we look ourselves now and then. */
  expectDurable(run: DriverRun): void;
  /** Called every second or so: read how far runs are that have waited too long. */
  recheck(): Promise<void>;
}

/** The feed brings it within seconds. After that we look, less and less often while nothing moves. */
const firstRecheckMs = 4000;
const maxRecheckMs = 30_000;
const recheckAtOnce = 1000;

/**
 * Which of this node's sockets are drivers' phones, and what they are told of history: how far a run is durable, what to send again,
 * how fast to report. A message of the feed that was lost costs seconds, since we look ourselves.
 */
export function createDriverPhones({
  readDurable,
  partitionOf,
  log,
  monotonicMs = () => performance.now(),
}: {
  readDurable: ReadDurable;
  partitionOf: (driverId: string) => number;
  log: Logger;
  monotonicMs?: () => number;
}): DriverPhones {
  const phones = new Map<string, Set<Connection>>();

  function raiseDurable(connection: Connection, run: DriverRun, seq: number): void {
    if (seq <= run.durableSeq) return;
    run.durableSeq = seq;
    run.recheckAtMs = 0;
    if (run.receivedSeq > seq) {
      run.recheckDelayMs = firstRecheckMs;
      run.recheckAtMs = monotonicMs() + firstRecheckMs;
    }
    connection.sendFrame({ type: 'durable', run: run.run, seq });
  }

  function onDurable(driverId: string, run: number, seq: number): void {
    for (const connection of phones.get(driverId) ?? []) {
      const known = connection.driver?.runs.get(run);
      if (known !== undefined) raiseDurable(connection, known, seq);
    }
  }

  /** Runs that have waited too long for their durable seq; each is due again later, and later still. */
  function takeOverdue(nowMs: number): { connection: Connection; run: DriverRun }[] {
    const due: { connection: Connection; run: DriverRun }[] = [];
    for (const connections of phones.values()) {
      for (const connection of connections) {
        for (const run of connection.driver?.runs.values() ?? []) {
          if (run.recheckAtMs === 0 || run.recheckAtMs > nowMs) continue;
          run.recheckDelayMs = Math.min(maxRecheckMs, run.recheckDelayMs * 2);
          run.recheckAtMs = nowMs + run.recheckDelayMs;
          due.push({ connection, run });
          if (due.length >= recheckAtOnce) return due;
        }
      }
    }
    return due;
  }

  return {
    add(connection) {
      const { userId } = connection.identity;
      const known = phones.get(userId);
      if (known === undefined) phones.set(userId, new Set([connection]));
      else known.add(connection);
    },
    remove(connection) {
      const { userId } = connection.identity;
      const known = phones.get(userId);
      if (known?.delete(connection) && known.size === 0) phones.delete(userId);
    },
    onDurable,
    onResend(driverId, run, from) {
      for (const connection of phones.get(driverId) ?? []) {
        if (connection.driver?.runs.has(run)) connection.sendFrame({ type: 'resend', run, from });
      }
    },
    ...createHistoryPaces(partitionOf, monotonicMs),
    raiseDurable,
    expectDurable(run) {
      if (run.recheckAtMs > 0 || run.receivedSeq <= run.durableSeq) return;
      run.recheckDelayMs = firstRecheckMs;
      run.recheckAtMs = monotonicMs() + firstRecheckMs;
    },
    async recheck() {
      const due = takeOverdue(monotonicMs());
      if (due.length === 0) return;
      try {
        const seqs = await readDurable(
          due.map(({ connection, run }) => ({ driverId: connection.identity.userId, run: run.run })),
        );
        for (const [index, { connection, run }] of due.entries()) {
          const seq = seqs[index];
          if (seq !== undefined) raiseDurable(connection, run, seq);
        }
      } catch (err) {
        log.debug({ err, total: due.length }, 'durable seqs could not be read');
      }
    },
  };
}
