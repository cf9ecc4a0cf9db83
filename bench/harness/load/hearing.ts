import { countedFixesOf, type FixSchedule, isCounted } from './fix-schedule.ts';

/** What listeners heard of the counted fixes of a schedule. */
export interface Heard {
  /** Each fix once. */
  readonly heard: number;
  /** Fixes that were due and that a listener never heard, or heard after a newer one. */
  readonly missing: number;
  /** Listeners that heard nothing of all that was due to them. */
  readonly silent: number;
}

export interface Hearing {
  /** @returns whether it is a counted fix that this listener had not heard before, nor a newer one */
  note(listener: number, fix: number): boolean;
  outcome(): Heard;
}

/**
 * Who heard which fix. Frames are not simply added up: one that came twice would hide one that never came.
 *
 * @param drivers by listener, the driver that it listens to; undefined for those that wait for nothing
 */
export function createHearing(schedule: FixSchedule, drivers: readonly (number | undefined)[]): Hearing {
  const heard = new Uint32Array(drivers.length);
  const newest = new Int32Array(drivers.length).fill(-1);
  return {
    note(listener, fix) {
      if (!isCounted(schedule, fix) || fix <= (newest[listener] as number)) return false;
      newest[listener] = fix;
      heard[listener] = (heard[listener] as number) + 1;
      return true;
    },
    outcome() {
      const sum = { heard: 0, missing: 0, silent: 0 };
      for (const [listener, driver] of drivers.entries()) {
        if (driver === undefined) continue;
        const due = countedFixesOf(schedule, driver);
        const came = heard[listener] as number;
        sum.heard += came;
        sum.missing += due - came;
        if (due > 0 && came === 0) sum.silent += 1;
      }
      return sum;
    },
  };
}
