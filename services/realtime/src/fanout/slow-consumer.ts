import type { Connection } from '../connections/connection.ts';
import type { RealtimeMetrics } from '../metrics.ts';
import { goneFrame } from './encode-frames.ts';
import { beginToHear, sendPosition, stopHearing } from './room-listeners.ts';
import type { Room, Subscription } from './subscription.ts';

export interface SlowConsumers {
  /** Look after this subscription's socket from now on. */
  track(subscription: Subscription): void;
  untrack(subscription: Subscription): void;
  /** Something was published to the room: its sockets are looked at in the next sweep. */
  handed(room: Room): void;
  /** Called every 100 ms: who cannot keep up? */
  sweep(): void;
  /** The socket took some of what it holds. */
  drained(connection: Connection): void;
  readonly slowCount: number;
  readonly trackedCount: number;
}

/**
 * Keeps sockets that read too slowly from filling memory, without losing them: one that holds more than `slowBytes` stops hearing
 * topics, and gets the newest position of each driver, marked `jump`, once it has drained; then it hears again.
 *
 * Cost: every 100 ms one native call, 0.3 µs in a profile, for each socket that was sent positions since. Asking 50,000 riders ten times a
 * second would come to 16 % of a core.
 */
export function createSlowConsumers({
  slowBytes,
  metrics,
}: {
  slowBytes: number;
  metrics: RealtimeMetrics;
}): SlowConsumers {
  const tracked = new Map<Connection, Set<Subscription>>();
  const slow = new Set<Connection>();
  /** Rooms that positions were published to since the last sweep. */
  const handed = new Set<Room>();
  let trackedCount = 0;

  function slowDown(connection: Connection, subscriptions: ReadonlySet<Subscription>): void {
    slow.add(connection);
    for (const subscription of subscriptions) {
      if (subscription.state !== 'live') continue;
      stopHearing(subscription);
      subscription.state = 'slow';
      subscription.room.slow.add(subscription);
    }
  }

  /** Bring one subscription up to date and let it hear again, in one tick. */
  function speedUp(subscription: Subscription): boolean {
    const { connection, room, pending } = subscription;
    subscription.pending = undefined;
    if (pending !== undefined) {
      // Counted when it was conflated; sending counts it once more.
      metrics.produced.location -= 1;
      const isTaken =
        pending === 'gone'
          ? connection.send(goneFrame(room.topic, room.driverId), 'location')
          : sendPosition(subscription, pending, true);
      if (!isTaken) return false;
    }
    subscription.state = 'live';
    room.slow.delete(subscription);
    beginToHear(subscription);
    return true;
  }

  return {
    track(subscription) {
      trackedCount += 1;
      const subscriptions = tracked.get(subscription.connection);
      if (subscriptions === undefined) tracked.set(subscription.connection, new Set([subscription]));
      else subscriptions.add(subscription);
    },
    untrack(subscription) {
      const subscriptions = tracked.get(subscription.connection);
      if (!subscriptions?.delete(subscription)) return;
      trackedCount -= 1;
      if (subscriptions.size > 0) return;
      tracked.delete(subscription.connection);
      slow.delete(subscription.connection);
    },
    handed: (room) => void handed.add(room),
    sweep() {
      for (const { members } of handed) {
        for (const { connection, state } of members) {
          if (state !== 'live' || connection.bufferedBytes <= slowBytes) continue;
          slowDown(connection, tracked.get(connection) as ReadonlySet<Subscription>);
        }
      }
      handed.clear();
    },
    drained(connection) {
      if (!slow.has(connection) || connection.bufferedBytes > slowBytes / 4) return;
      for (const subscription of tracked.get(connection) ?? []) {
        if (subscription.state !== 'slow') continue;
        if (connection.bufferedBytes > slowBytes || !speedUp(subscription)) return;
      }
      slow.delete(connection);
    },
    get slowCount() {
      return slow.size;
    },
    get trackedCount() {
      return trackedCount;
    },
  };
}
