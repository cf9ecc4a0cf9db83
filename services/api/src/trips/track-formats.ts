import type { TrackFix } from '@hushryd/contracts/http/trips';
import { gpx } from '../gpx.ts';

/** A file format that can be written page by page. */
interface FileFormat {
  mediaType: string;
  /** @param tripId safe in any of the formats by its alphabet (contracts/ids) */
  head(tripId: string): string;
  /** @param fixes at least one */
  page(fixes: readonly TrackFix[], isFirst: boolean): string;
  tail: string;
}

export type TrackFormat = 'geojson' | 'gpx' | 'csv';

/** What a track can be downloaded as. */
export const trackFormats: Record<TrackFormat, FileFormat> = {
  /** RFC 7946: one line for each 5,000 fixes; `coordTimes` has the times of its points. */
  geojson: {
    mediaType: 'application/geo+json',
    head: () => '{"type":"FeatureCollection","features":[',
    page: (fixes, isFirst) => `${isFirst ? '' : ','}${JSON.stringify(toFeature(fixes))}`,
    tail: ']}\n',
  },
  /** GPX 1.1, one track with one segment. */
  gpx: {
    mediaType: gpx.mediaType,
    head: (tripId) => gpx.head + gpx.beginTrack(tripId),
    page: gpx.points,
    tail: gpx.endTrack + gpx.tail,
  },
  /** RFC 4180; an empty field is a value that the phone did not send. */
  csv: {
    mediaType: 'text/csv',
    head: () => 'run,seq,recorded_at,lat,lng,accuracy_meters,speed_mps,heading_degrees,battery_percent\r\n',
    page: (fixes) =>
      fixes
        .map((fix) =>
          [
            fix.run,
            fix.seq,
            fix.recordedAt,
            fix.lat,
            fix.lng,
            fix.accuracyMeters,
            fix.speedMps,
            fix.headingDegrees,
            fix.batteryPercent,
          ].join(','),
        )
        .map((line) => `${line}\r\n`)
        .join(''),
    tail: '',
  },
};

function toFeature(fixes: readonly TrackFix[]) {
  const coordinates = fixes.map(({ lng, lat }) => [lng, lat]);
  return {
    type: 'Feature',
    // A line needs two points.
    geometry:
      coordinates.length === 1 ? { type: 'Point', coordinates: coordinates[0] } : { type: 'LineString', coordinates },
    properties: { coordTimes: fixes.map(({ recordedAt }) => recordedAt) },
  };
}
