import { SaxesParser } from 'saxes';
import { StartError } from '../start-error.ts';
import type { RecordedFix, RecordedTrip } from './recorded-trip.ts';
import { readLngLat, readTime } from './trip-fields.ts';

interface TimedPoint {
  readonly lat: number;
  readonly lng: number;
  readonly timeMs: number;
}

/**
 * Tracks (`trk`) of a GPX file, each a trip of its own driver; its segments follow each other. Every point needs a `time`.
 *
 * @param input.name the file's name, for sentences
 * @throws StartError naming line and column (or field) of the first fault
 */
export function parseGpx({ text, name }: { text: string; name: string }): RecordedTrip[] {
  const tracks: TimedPoint[][] = [];
  const parser = new SaxesParser();
  const where = () => `${name}, line ${parser.line}, column ${parser.column + 1}`;
  let point: { lat: number; lng: number; line: number } | undefined;
  let isInTime = false;
  let time = '';

  parser.on('error', (error) => {
    // The parser's own message starts with line:column; ours says it in words.
    throw new StartError(`${where()}: ${error.message.replace(/^(\d+:\d+: )+/, '')}`, { cause: error });
  });
  parser.on('opentag', (tag) => {
    if (tag.name === 'trk') tracks.push([]);
    if (tag.name === 'trkpt') {
      const lngLat = [tag.attributes.lon, tag.attributes.lat].map((value) =>
        value === undefined ? undefined : Number(value),
      );
      point = { ...readLngLat(lngLat, { where: where(), field: 'trkpt' }), line: parser.line };
      time = '';
    }
    isInTime = tag.name === 'time' && point !== undefined;
  });
  parser.on('text', (piece) => {
    if (isInTime) time += piece;
  });
  parser.on('closetag', (tag) => {
    if (tag.name === 'time') isInTime = false;
    if (tag.name !== 'trkpt' || !point) return;
    const timeMs = readTime(time.trim() || undefined, { where: `${name}, line ${point.line}`, field: 'time' });
    tracks.at(-1)?.push({ lat: point.lat, lng: point.lng, timeMs });
    point = undefined;
  });

  parser.write(text).close();
  return tracks.map((points, index) => toTrip({ points, number: index + 1, name }));
}

function toTrip({ points, number, name }: { points: TimedPoint[]; number: number; name: string }): RecordedTrip {
  const startedAtMs = points.at(0)?.timeMs ?? 0;
  const fixes = points.map(({ lat, lng, timeMs }, index): RecordedFix => {
    if (timeMs >= (points[index - 1]?.timeMs ?? timeMs)) return { lat, lng, offsetMs: timeMs - startedAtMs };
    throw new StartError(`${name}, track ${number}, point ${index + 1}: its time is before that of the point before.`);
  });
  return { tripId: `track-${number}`, driverId: `driver-${number}`, startedAtMs, fixes };
}
