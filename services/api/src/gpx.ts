/** GPX 1.1, written piece by piece. Names are of safe characters by their alphabets (contracts/ids). */
export const gpx = {
  mediaType: 'application/gpx+xml',
  head:
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    '<gpx version="1.1" creator="HushRyd" xmlns="http://www.topografix.com/GPX/1/1">\n',
  /** Waypoints come before tracks. */
  waypoint: (name: string, point: GpxPoint) => `${element('wpt', point, `<name>${name}</name>`)}\n`,
  beginTrack: (name: string) => `<trk><name>${name}</name><trkseg>\n`,
  points: (points: readonly GpxPoint[]) => points.map((point) => `${element('trkpt', point)}\n`).join(''),
  endTrack: '</trkseg></trk>\n',
  tail: '</gpx>\n',
};

/** WGS 84 degrees; ISO 8601. */
export interface GpxPoint {
  lat: number;
  lng: number;
  recordedAt: string;
}

const element = (tag: string, { lat, lng, recordedAt }: GpxPoint, more = '') =>
  `<${tag} lat="${lat}" lon="${lng}"><time>${recordedAt}</time>${more}</${tag}>`;
