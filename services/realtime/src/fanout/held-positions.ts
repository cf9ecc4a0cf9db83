import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { LivePositions } from '@hushryd/tracking/feed/live-positions';

/** Positions of all drivers, held in memory only while somebody needs them. */
export interface HeldPositions {
  /** Undefined while they are not held. */
  readonly current: LivePositions | undefined;
  /** They are needed. Ready when this resolves; checked again by `mustBeCurrent` after any wait. */
  hold(): Promise<LivePositions>;
  /** @throws AppError `redis_unavailable` where these have been closed meanwhile */
  mustBeCurrent(live: LivePositions): void;
  /** Nobody needs them for the moment: let them go in a while, unless somebody does again. */
  letGoLater(): void;
  /** Let them go now, also what is still being opened: it is closed as soon as it is there. */
  close(): Promise<void>;
}

/** Operators come and go; reading all positions again for each would be dear. */
const keepMs = 10_000;

export function createHeldPositions({
  openPositions,
  isNeeded,
  onChange,
  onLetGo,
  log,
}: {
  openPositions: () => LivePositions;
  isNeeded: () => boolean;
  onChange: (driverId: string) => void;
  onLetGo: () => void;
  log: Logger;
}): HeldPositions {
  let current: LivePositions | undefined;
  let starting: Promise<LivePositions> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function open(): Promise<LivePositions> {
    const opening = start();
    starting = opening;
    opening.then(
      (opened) => {
        if (starting === opening) current = opened;
      },
      () => {
        if (starting === opening) starting = undefined;
      },
    );
    return opening;
  }

  async function start(): Promise<LivePositions> {
    const opened = openPositions();
    try {
      await opened.start();
    } catch (error) {
      await opened.close();
      throw error;
    }
    opened.onChange(onChange);
    return opened;
  }

  async function close(): Promise<void> {
    clearTimeout(timer);
    const opening = starting;
    current = undefined;
    starting = undefined;
    onLetGo();
    const opened = await opening?.catch(() => undefined);
    await opened?.close();
  }

  return {
    get current() {
      return current;
    },
    hold() {
      clearTimeout(timer);
      return starting ?? open();
    },
    mustBeCurrent(live) {
      if (live !== current) throw new AppError('redis_unavailable');
    },
    letGoLater() {
      if (isNeeded()) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (isNeeded()) return;
        close().catch((err: unknown) => log.warn({ err }, 'live positions not closed'));
      }, keepMs);
      timer.unref();
    },
    close,
  };
}
