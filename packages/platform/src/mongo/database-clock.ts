import type { Db } from 'mongodb';
import { createPeriodic } from '../lifecycle/periodic.ts';
import type { Logger } from '../logging/logger.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { deadline, toMongoError } from './deadline.ts';

export interface DatabaseClock {
  /** The database's time, epoch milliseconds. Before it was ever heard of, this process's own. */
  now(): number;
  /** Looks, and again and again. Resolves after the first look, whether or not it was answered. */
  start(): Promise<void>;
  close(): Promise<void>;
}

/**
 * One clock for all processes that agree on times by way of the database: leases, and when something is due. A process whose own clock is
 * minutes off, or is set while it runs, is right here: between two looks only the time that has passed is counted, by a clock that nobody sets.
 *
 * Off by half of the quickest round trip at most, and by what a machine that slept has missed until the next look. Where one server is the primary after
 * another, their clocks are as far apart as the cluster lets them be.
 *
 * @param passedMs milliseconds since some moment
 * Cost: one command every `everyMs`.
 */
export function createDatabaseClock({
  db,
  log,
  everyMs = 10_000,
  deadlineMs = 2_000,
  passedMs = () => performance.now(),
  telemetry,
}: {
  db: Pick<Db, 'command'>;
  log: Logger;
  everyMs?: number;
  deadlineMs?: number;
  passedMs?: () => number;
  telemetry?: Telemetry;
}): DatabaseClock {
  /** What `passedMs` lacks, and by how much that may be wrong. */
  let known: { aheadMs: number; unsureMs: number } | undefined;

  async function look(): Promise<void> {
    const askedAt = passedMs();
    try {
      const { localTime } = await db.command({ hello: 1 }, deadline(deadlineMs));
      const unsureMs = (passedMs() - askedAt) / 2;
      const aheadMs = (localTime as Date).getTime() - askedAt - unsureMs;
      // A slow answer says less than a quick one before it, unless it shows that one to be wrong: the database's clock was set.
      const isVaguer = known !== undefined && unsureMs > known.unsureMs;
      const isSame = known !== undefined && Math.abs(aheadMs - known.aheadMs) <= unsureMs + known.unsureMs;
      if (!(isVaguer && isSame)) known = { aheadMs, unsureMs };
    } catch (error) {
      throw toMongoError(error);
    }
  }

  const now = () => Math.round(known === undefined ? Date.now() : passedMs() + known.aheadMs);
  telemetry?.gauge({
    name: 'database_clock_offset_seconds',
    help: 'By how much the clock of this process is ahead of the database’s; 0 before it was ever heard of',
    collect() {
      this.set((Date.now() - now()) / 1_000);
    },
  });

  const looking = createPeriodic({ name: 'look at the database’s clock', everyMs, run: look, log });
  return {
    now,
    async start() {
      await looking.runNow();
      looking.start();
    },
    close: () => looking.close(),
  };
}
