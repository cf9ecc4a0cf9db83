import { AppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { LivePositions } from '@hushryd/tracking/feed/live-positions';

/** Positions of all drivers, held in memory only while somebody needs them. */
export interface HeldPositions {
  /** Undefined while they are not held. */
  readonly current: LivePositions | undefined;
  /** Whoever shows them says so once, before anything is held. */
  use(user: PositionsUser): void;
  /** They are needed. Ready when this resolves; checked again by `mustBeCurrent` after any wait. */
  hold(): Promise<LivePositions>;
  /** @throws AppError `redis_unavailable` where these have been closed meanwhile */
  mustBeCurrent(live: LivePositions): void;
  /** One user needs them no more: let them go in a while, unless somebody does then. */
  letGoLater(): void;
  /** Let them go now, also what is still being opened: it is closed as soon as it is there. */
  close(): Promise<void>;
}

export interface PositionsUser {
  isNeeded(): boolean;
  /** A driver has moved, changed state or gone. */
  onChange(driverId: string): void;
  onLetGo(): void;
}

/** Watchers come and go; reading all positions again for each would be dear. */
const keepMs = 10_000;

export function createHeldPositions({
  openPositions,
  log,
}: {
  openPositions: () => LivePositions;
  log: Logger;
}): HeldPositions {
  const users: PositionsUser[] = [];
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
    opened.onChange((driverId) => {
      for (const user of users) user.onChange(driverId);
    });
    return opened;
  }

  async function close(): Promise<void> {
    clearTimeout(timer);
    const opening = starting;
    current = undefined;
    starting = undefined;
    for (const user of users) user.onLetGo();
    const opened = await opening?.catch(() => undefined);
    await opened?.close();
  }

  return {
    get current() {
      return current;
    },
    use(user) {
      users.push(user);
    },
    hold() {
      clearTimeout(timer);
      return starting ?? open();
    },
    mustBeCurrent(live) {
      if (live !== current) throw new AppError('redis_unavailable');
    },
    letGoLater() {
      if (users.some((user) => user.isNeeded())) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (users.some((user) => user.isNeeded())) return;
        close().catch((err: unknown) => log.warn({ err }, 'live positions not closed'));
      }, keepMs);
      timer.unref();
    },
    close,
  };
}
