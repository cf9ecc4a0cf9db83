import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import type { LivePositions } from '@hushryd/tracking/feed/live-positions';

export interface PositionWaiter {
  /** Resolves when the driver's position has changed since the waiter was made, when `ms` have passed, or on `cancel`. */
  wait(ms: number): Promise<'changed' | 'ended'>;
  cancel(): void;
}

export interface PositionWaiters {
  /** Undefined when too many wait already. Make it before looking at the position, so that no change falls in between. */
  create(driverId: string): PositionWaiter | undefined;
  /** End all waiting, and let nobody wait any more: the node drains. */
  close(): void;
}

/**
 * Requests that wait for a driver to move, woken by the live feed.
 *
 * Bounded: above `maxWaiters` a request is answered at once, like one that did not want to wait, and counted.
 *
 * Cost: one map look-up for each position of the feed.
 */
export function createPositionWaiters({
  livePositions,
  maxWaiters,
  telemetry,
}: {
  livePositions: Pick<LivePositions, 'onChange'>;
  maxWaiters: number;
  telemetry: Telemetry;
}): PositionWaiters {
  const waiting = new Map<string, Set<Waiter>>();
  let count = 0;
  let isClosed = false;
  const refused = telemetry.counter({
    name: 'long_poll_refused_total',
    help: 'Long polls answered at once because too many were waiting',
  });
  telemetry.gauge({
    name: 'long_poll_waiters',
    help: 'Requests waiting for a position to change',
    collect() {
      this.set(count);
    },
  });

  const stopListening = livePositions.onChange((driverId) => {
    const waiters = waiting.get(driverId);
    if (waiters === undefined) return;
    for (const waiter of [...waiters]) waiter.settle('changed');
  });

  return {
    create(driverId) {
      if (isClosed) return undefined;
      if (count >= maxWaiters) {
        refused.inc();
        return undefined;
      }
      const waiters = waiting.get(driverId) ?? new Set();
      waiting.set(driverId, waiters);
      const waiter = createWaiter(() => {
        if (!waiters.delete(waiter)) return;
        count -= 1;
        if (waiters.size === 0 && waiting.get(driverId) === waiters) waiting.delete(driverId);
      });
      waiters.add(waiter);
      count += 1;
      return { wait: waiter.wait, cancel: () => waiter.settle('ended') };
    },
    close() {
      isClosed = true;
      stopListening();
      for (const waiters of [...waiting.values()]) for (const waiter of [...waiters]) waiter.settle('ended');
    },
  };
}

interface Waiter {
  wait(ms: number): Promise<'changed' | 'ended'>;
  settle(outcome: 'changed' | 'ended'): void;
}

function createWaiter(onSettled: () => void): Waiter {
  let timer: NodeJS.Timeout | undefined;
  let settled: 'changed' | 'ended' | undefined;
  let resolve: ((outcome: 'changed' | 'ended') => void) | undefined;

  const settle: Waiter['settle'] = (outcome) => {
    if (settled !== undefined) return;
    settled = outcome;
    clearTimeout(timer);
    onSettled();
    resolve?.(outcome);
  };
  return {
    wait(ms) {
      if (settled !== undefined) return Promise.resolve(settled);
      timer = setTimeout(() => settle('ended'), ms);
      return new Promise((onOutcome) => {
        resolve = onOutcome;
      });
    },
    settle,
  };
}
