import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';

export interface LiveStatus {
  start(): void;
  close(): Promise<void>;
  /** The batcher could not write, or can again. */
  onWriteFailed(): void;
  onWriteWorked(): void;
  /** False while Redis is away: fixes are not acknowledged, positions do not move. */
  readonly isLive: boolean;
}

const pingEveryMs = 1000;
const pingDeadlineMs = 500;

/**
 * Whether live data flows. Noticed by the first write that fails, and where nobody writes by a ping a second; both have to work again
 * before it counts as back. Every socket is told when it changes.
 */
export function createLiveStatus({
  ping,
  onChange,
  log,
}: {
  ping: (deadlineMs: number) => Promise<number>;
  onChange: (isLive: boolean) => void;
  log: Logger;
}): LiveStatus {
  let doesPingWork = true;
  let doWritesWork = true;
  let isLive = true;
  const pinger = createPeriodic({ name: 'ping redis', everyMs: pingEveryMs, run: tryPing, log });

  async function tryPing(): Promise<void> {
    try {
      await ping(pingDeadlineMs);
      doesPingWork = true;
    } catch (err) {
      if (doesPingWork) log.warn({ err }, 'redis does not answer');
      doesPingWork = false;
    }
    update();
  }

  function update(): void {
    const wasLive = isLive;
    isLive = doesPingWork && doWritesWork;
    if (isLive === wasLive) return;
    log.warn({ state: isLive ? 'live' : 'degraded' }, 'live data changed state');
    onChange(isLive);
  }

  return {
    start: () => pinger.start(),
    close: () => pinger.close(),
    onWriteFailed() {
      doWritesWork = false;
      update();
    },
    onWriteWorked() {
      doWritesWork = true;
      update();
    },
    get isLive() {
      return isLive;
    },
  };
}
