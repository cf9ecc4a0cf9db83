/**
 * Which fix is due when, so that whoever hears a seq knows when its fix was to be sent: fix n is driver n mod `drivers`'s next one, due
 * n intervals after `startAtMs`. What the sender is late by counts as latency (no coordinated omission).
 */
export interface FixSchedule {
  readonly startAtMs: number;
  readonly fixesPerSecond: number;
  readonly drivers: number;
  /** Fixes counted: from here … */
  readonly fromFix: number;
  /** … to below here. */
  readonly toFix: number;
  /** Seq of each driver's first fix. */
  readonly seq: number;
}

export const dueAtMs = (schedule: FixSchedule, fix: number): number =>
  schedule.startAtMs + (fix * 1000) / schedule.fixesPerSecond;

export const seqOf = (schedule: FixSchedule, fix: number): number => schedule.seq + Math.floor(fix / schedule.drivers);

/** Of the fixes that are due to a sender with some of the drivers, in ascending order: its nth. */
export function ownFix(schedule: FixSchedule, drivers: readonly number[], nth: number): number {
  const round = Math.floor(nth / drivers.length);
  return round * schedule.drivers + (drivers[nth % drivers.length] as number);
}

export const fixOf = (schedule: FixSchedule, driver: number, seq: number): number =>
  (seq - schedule.seq) * schedule.drivers + driver;

/** How many of one driver's fixes are counted. */
export function countedFixesOf(schedule: FixSchedule, driver: number): number {
  const below = (fix: number) => Math.max(0, Math.ceil((fix - driver) / schedule.drivers));
  return below(schedule.toFix) - below(schedule.fromFix);
}

export const isCounted = (schedule: FixSchedule, fix: number): boolean =>
  fix >= schedule.fromFix && fix < schedule.toFix;
