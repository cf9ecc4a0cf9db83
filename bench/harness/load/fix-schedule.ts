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

export const fixOf = (schedule: FixSchedule, driver: number, seq: number): number =>
  (seq - schedule.seq) * schedule.drivers + driver;

export const isCounted = (schedule: FixSchedule, fix: number): boolean =>
  fix >= schedule.fromFix && fix < schedule.toFix;
