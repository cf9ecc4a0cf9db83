import type { TrackFix } from '@hushryd/contracts/http/trips';
import type { HistoryDocument } from '@hushryd/tracking/history/to-history-document';

/** A stored fix as HTTP bodies carry it. */
export function toTrackFix(fix: HistoryDocument): TrackFix {
  return {
    run: fix.run,
    seq: fix.seq,
    recordedAt: fix.ts.toISOString(),
    lat: fix.lat,
    lng: fix.lng,
    ...(fix.accuracyMeters !== undefined && { accuracyMeters: fix.accuracyMeters }),
    ...(fix.speedMps !== undefined && { speedMps: fix.speedMps }),
    ...(fix.headingDegrees !== undefined && { headingDegrees: fix.headingDegrees }),
    ...(fix.batteryPercent !== undefined && { batteryPercent: fix.batteryPercent }),
  };
}
