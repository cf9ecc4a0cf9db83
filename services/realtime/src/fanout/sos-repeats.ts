import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import type { TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { Connection } from '../connections/connection.ts';
import type { RealtimeMetrics } from '../metrics.ts';

export interface SosRepeats {
  /** An event of class sos is about to be given to this socket. */
  sent(connection: Connection, message: TopicMessage, frame: string): void;
  /** The client has every event of the topic up to here. */
  ack(connection: Connection, place: { topic: string; epoch: string; offset: number }): void;
  /** Called twice a second: say again what was not acknowledged in time. */
  sweep(): void;
  /** The socket left the topic, or is gone: what it still needs it recovers by its place. */
  forget(connection: Connection, topic?: string): void;
  readonly unackedCount: number;
}

interface Unacked {
  readonly message: TopicMessage;
  readonly frame: string;
  dueAtMs: number;
  delayMs: number;
}

const firstRepeatMs = 2000;
const maxRepeatMs = 10_000;
/** A client that takes so many alerts without a word about any of them is not listening. */
const maxUnacked = 300;

/**
 * Says alerts again until the client says that it has them: after 2 s, then more seldom, at least every 10 s. TCP delivered them once
 * already; what this covers is an app that was frozen, or dropped what it read.
 *
 * Bounded: 300 unacknowledged events a socket; above it the socket is closed (4410), and recovers.
 */
export function createSosRepeats({
  metrics,
  monotonicMs = () => performance.now(),
}: {
  metrics: RealtimeMetrics;
  monotonicMs?: () => number;
}): SosRepeats {
  const unacked = new Map<Connection, Unacked[]>();
  let unackedCount = 0;

  function keep(connection: Connection, kept: Unacked[]): void {
    unackedCount -= (unacked.get(connection)?.length ?? 0) - kept.length;
    if (kept.length === 0) unacked.delete(connection);
    else unacked.set(connection, kept);
  }

  return {
    sent(connection, message, frame) {
      // Nobody would make it forget them any more.
      if (!connection.isOpen) return;
      const waiting = unacked.get(connection) ?? [];
      if (waiting.length >= maxUnacked) {
        connection.close(closeCodes.slowConsumer, 'alerts are not acknowledged');
        return;
      }
      const dueAtMs = monotonicMs() + firstRepeatMs;
      keep(connection, [...waiting, { message, frame, dueAtMs, delayMs: firstRepeatMs }]);
    },

    ack(connection, { topic, epoch, offset }) {
      const waiting = unacked.get(connection);
      if (waiting === undefined) return;
      keep(
        connection,
        waiting.filter(({ message }) => message.topic !== topic || message.epoch !== epoch || message.offset > offset),
      );
    },

    sweep() {
      const nowMs = monotonicMs();
      for (const [connection, waiting] of unacked) {
        for (const alert of waiting) {
          if (alert.dueAtMs > nowMs) continue;
          alert.delayMs = Math.min(maxRepeatMs, alert.delayMs * 2);
          alert.dueAtMs = nowMs + alert.delayMs;
          metrics.sosRepeated += 1;
          // A socket that is gone has forgotten its alerts by now.
          if (!connection.send(alert.frame, 'sos')) break;
        }
      }
    },

    forget(connection, topic) {
      const waiting = unacked.get(connection);
      if (waiting === undefined) return;
      keep(connection, topic === undefined ? [] : waiting.filter(({ message }) => message.topic !== topic));
    },

    get unackedCount() {
      return unackedCount;
    },
  };
}
