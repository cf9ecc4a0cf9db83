import type { CrashSetting } from '../config/faults-environment.ts';

/** Called where a process may die in a test. Does nothing else, ever. */
export type CrashAt<Point extends string> = (point: Point) => void;

/** For code that is built without crash points. */
export const neverCrash = (): void => undefined;

/**
 * Places in the code at which a fault test ends the process as power loss would: SIGKILL, to itself, at the n-th time it comes by.
 *
 * @param points all that the room has; a setting that names another is none of its business
 */
export function createCrashPoints<Point extends string>({
  points,
  setting,
}: {
  points: readonly Point[];
  setting: CrashSetting | undefined;
}): CrashAt<Point> {
  if (setting === undefined || !points.includes(setting.point as Point)) return neverCrash;
  let left = setting.pass;
  return (point) => {
    if (point !== setting.point) return;
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
}
