import type { TrailPoint, TrailSource } from '@hushryd/contracts/http/sos-trail';

/** A reading from wherever it comes. */
export interface Reading {
  lat: number;
  lng: number;
  accuracyMeters?: number | undefined;
  headingDegrees?: number | undefined;
  speedMps?: number | undefined;
}

/** A reading as those around an alert are shown it: where and when, and nothing of who. Pure. */
export function toTrailPoint(source: TrailSource, recordedAtMs: number, reading: Reading): TrailPoint {
  const { lat, lng, accuracyMeters, headingDegrees, speedMps } = reading;
  return {
    source,
    lat,
    lng,
    recordedAt: new Date(recordedAtMs).toISOString(),
    ...(accuracyMeters !== undefined && { accuracyMeters }),
    ...(headingDegrees !== undefined && { headingDegrees }),
    ...(speedMps !== undefined && { speedMps }),
  };
}
