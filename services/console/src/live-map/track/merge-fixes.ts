import type { Position } from '@hushryd/contracts/fix';
import type { TrackFix } from '@hushryd/contracts/http/trips';

/** A vehicle's position as one more fix of the track that it is driving. */
export function toTrackFix(position: Position): TrackFix {
  const { run, seq, recordedAtMs, lat, lng, accuracyMeters, speedMps, headingDegrees, batteryPercent } = position;
  return {
    run,
    seq,
    recordedAt: new Date(recordedAtMs).toISOString(),
    lat,
    lng,
    ...(accuracyMeters === undefined ? {} : { accuracyMeters }),
    ...(speedMps === undefined ? {} : { speedMps }),
    ...(headingDegrees === undefined ? {} : { headingDegrees }),
    ...(batteryPercent === undefined ? {} : { batteryPercent }),
  };
}

/**
 * Stored fixes and live ones as one track: each (run, seq) once, in order of time. `stored` wins, it is the truth; both are in order.
 * Returns `stored` itself where nothing is new.
 */
export function mergeFixes(stored: readonly TrackFix[], live: readonly TrackFix[]): readonly TrackFix[] {
  if (live.length === 0) return stored;
  const known = new Set(stored.map(keyOf));
  const added = live.filter((fix) => !known.has(keyOf(fix)));
  if (added.length === 0) return stored;
  return [...stored, ...added].sort(
    (one, other) =>
      Date.parse(one.recordedAt) - Date.parse(other.recordedAt) || one.run - other.run || one.seq - other.seq,
  );
}

const keyOf = (fix: TrackFix): string => `${fix.run}:${fix.seq}`;
