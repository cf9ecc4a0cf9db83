import type { Fix } from '@hushryd/contracts/fix';

/** One GPS reading as the phone's location service gives it; the client numbers it. WGS 84 degrees, metres, metres a second. */
export type FixReading = Omit<Fix, 'seq'>;

const required = ['recordedAtMs', 'lat', 'lng'] as const;
const optional = ['accuracyMeters', 'speedMps', 'headingDegrees', 'batteryPercent'] as const;

/**
 * The reading as a fix. Only known fields are taken: the server refuses frames with others. An optional value that is not a finite
 * number is left out, since location services say "unknown" by NaN or null. Time becomes whole milliseconds: some services say parts
 * of one, and the server takes none.
 *
 * @throws RangeError where time or place is not a finite number: JSON cannot carry it
 */
export function toFix(seq: number, reading: FixReading): Fix {
  for (const name of required) {
    if (!Number.isFinite(reading[name])) throw new RangeError(`${name} must be a finite number, not ${reading[name]}`);
  }
  const { recordedAtMs, lat, lng } = reading;
  const fix: Fix = { seq, recordedAtMs: Math.round(recordedAtMs), lat, lng };
  for (const name of optional) {
    const value = reading[name];
    if (typeof value === 'number' && Number.isFinite(value)) fix[name] = value;
  }
  return fix;
}
