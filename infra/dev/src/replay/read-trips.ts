import { readFile } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { StartError } from '../start-error.ts';
import { parseCsv } from './parse-csv.ts';
import { parseGeoJson } from './parse-geojson.ts';
import { parseGpx } from './parse-gpx.ts';
import type { RecordedTrip } from './recorded-trip.ts';

const parsers: Record<string, (input: { text: string; name: string }) => RecordedTrip[]> = {
  '.csv': parseCsv,
  '.gpx': parseGpx,
  '.geojson': parseGeoJson,
  '.json': parseGeoJson,
};

/**
 * Recorded trips of a CSV, GPX or GeoJSON file (told by its ending), in the file's order.
 *
 * @throws StartError: the file cannot be read, is of another kind, has a fault (with its place), or holds no trip with a point
 */
export async function readTrips(path: string): Promise<RecordedTrip[]> {
  const parse = parsers[extname(path).toLowerCase()];
  if (!parse) throw new StartError(`${path}: only .csv, .gpx, .geojson and .json files can be replayed.`);
  const name = basename(path);
  const trips = parse({ text: await readText(path), name });
  const seen = new Set<string>();
  for (const { tripId } of trips) {
    if (seen.has(tripId))
      throw new StartError(`${name}: the trip ${tripId} stands in it twice; give each trip its own id.`);
    seen.add(tripId);
  }
  if (!trips.some((trip) => trip.fixes.length > 0))
    throw new StartError(`${name}: there is no trip with a point in it.`);
  return trips;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT') throw new StartError(`${path}: there is no such file.`, { cause });
    throw new StartError(`${path}: the file cannot be read (${String(code ?? cause)}).`, { cause });
  }
}
