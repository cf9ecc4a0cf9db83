/**
 * How many units of the wire make one of the frame's: 10⁻⁷ degrees (1 cm), cm/s, 0.01°, dm, whole per cent. The server stores no finer
 * ones (packed-positions.ts in tracking), so nothing is lost on the wire that was kept before.
 */
export const unitsPerDegree = 1e7;
export const unitsPerMps = 100;
export const unitsPerHeadingDegree = 100;
export const unitsPerMeter = 10;

/** The difference of two values of this size, in zigzag, is still a whole number that JavaScript keeps exactly. */
const maxUnits = 2 ** 50;

/**
 * A value in units of the wire, rounded. What is further away than anything on earth goes to the edge, and NaN too: still out of
 * range, so the answer is the same.
 */
export function toUnits(value: number, unitsPerOne = 1): number {
  const units = Math.round(value * unitsPerOne);
  return units > -maxUnits ? Math.min(units, maxUnits) : -maxUnits;
}
