import { SaxesParser } from 'saxes';
import { StartError } from '../start-error.ts';
import type { RecordedFix, RecordedTrip } from './recorded-trip.ts';
import { isId, readLngLat, readTime } from './trip-fields.ts';

interface Track {
  name: string;
  readonly points: TimedPoint[];
}

interface TimedPoint {
  readonly lat: number;
  readonly lng: number;
  readonly timeMs: number;
}

/**
 * Tracks (`trk`) of a GPX file, each a trip of its own driver; its segments follow each other. Every point needs a `time`. A track's `name`
 * is the trip's id where it is one, as in tracks that the API exports.
 *
 * @param input.name the file's name, for sentences
 * @throws StartError naming line and column (or field) of the first fault
 */
export function parseGpx({ text, name }: { text: string; name: string }): RecordedTrip[] {
  const tracks: Track[] = [];
  const parser = new SaxesParser();
  const where = () => `${name}, line ${parser.line}, column ${parser.column + 1}`;
  let point: { lat: number; lng: number; line: number } | undefined;
  let reading: 'time' | 'name' | undefined;
  let time = '';

  parser.on('error', (error) => {
    // The parser's own message starts with line:column; ours says it in words.
    throw new StartError(`${where()}: ${error.message.replace(/^(\d+:\d+: )+/, '')}`, { cause: error });
  });
  parser.on('opentag', (tag) => {
    if (tag.name === 'trk') tracks.push({ name: '', points: [] });
    if (tag.name === 'trkpt') {
      const lngLat = [tag.attributes.lon, tag.attributes.lat].map((value) =>
        value === undefined ? undefined : Number(value),
      );
      point = { ...readLngLat(lngLat, { where: where(), field: 'trkpt' }), line: parser.line };
      time = '';
    }
    reading = toRead({ tag: tag.name, isInPoint: point !== undefined, track: tracks.at(-1) });
  });
  parser.on('text', (piece) => {
    if (reading === 'time') time += piece;
    const track = tracks.at(-1);
    if (reading === 'name' && track) track.name += piece;
  });
  parser.on('closetag', (tag) => {
    if (tag.name === reading) reading = undefined;
    if (tag.name !== 'trkpt' || !point) return;
    const timeMs = readTime(time.trim() || undefined, { where: `${name}, line ${point.line}`, field: 'time' });
    tracks.at(-1)?.points.push({ lat: point.lat, lng: point.lng, timeMs });
    point = undefined;
  });

  parser.write(text).close();
  return tracks.map((track, index) => toTrip({ track, number: index + 1, name }));
}

/** Only the time of a point and the name of the track itself: waypoints and points have names too. */
function toRead(at: { tag: string; isInPoint: boolean; track: Track | undefined }): 'time' | 'name' | undefined {
  if (at.tag === 'time' && at.isInPoint) return 'time';
  const isTrackName = at.tag === 'name' && !at.isInPoint && at.track?.points.length === 0;
  return isTrackName ? 'name' : undefined;
}

function toTrip({ track, number, name }: { track: Track; number: number; name: string }): RecordedTrip {
  const { points } = track;
  const startedAtMs = points.at(0)?.timeMs ?? 0;
  const fixes = points.map(({ lat, lng, timeMs }, index): RecordedFix => {
    if (timeMs >= (points[index - 1]?.timeMs ?? timeMs)) return { lat, lng, offsetMs: timeMs - startedAtMs };
    throw new StartError(`${name}, track ${number}, point ${index + 1}: its time is before that of the point before.`);
  });
  const tripId = isId(track.name.trim()) ? track.name.trim() : `track-${number}`;
  return { tripId, driverId: `driver-${number}`, startedAtMs, fixes };
}
