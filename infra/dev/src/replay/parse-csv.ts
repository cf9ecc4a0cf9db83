import { CsvError, parse } from 'csv-parse/sync';
import { StartError } from '../start-error.ts';
import type { RecordedTrip } from './recorded-trip.ts';
import { fieldError, quote, readId, readIntervalMs, readLngLat, readTime } from './trip-fields.ts';

const columns = ['trip_id', 'taxi_id', 'started_at', 'sample_interval_s', 'polyline_lng_lat'] as const;
type Column = (typeof columns)[number];
type Row = Partial<Record<Column, string>>;

/**
 * Trips of a CSV file with the columns `trip_id,taxi_id,started_at,sample_interval_s,polyline_lng_lat` (in any order, further ones are
 * ignored); the last is a JSON array of [longitude, latitude], one point every `sample_interval_s` seconds.
 *
 * @param input.name the file's name, for sentences
 * @throws StartError naming line and field of the first fault
 */
export function parseCsv(input: { text: string; name: string }): RecordedTrip[] {
  const { name } = input;
  return readRows(input).map(({ line, row }) => {
    const at = (field: Column) => ({ where: `${name}, line ${line}`, field });
    const intervalMs = readIntervalMs(row.sample_interval_s, at('sample_interval_s'));
    return {
      tripId: readId(row.trip_id, at('trip_id')),
      driverId: readId(row.taxi_id, at('taxi_id')),
      startedAtMs: readTime(row.started_at, at('started_at')),
      fixes: readPolyline(row.polyline_lng_lat, at('polyline_lng_lat')).map((point, index) => ({
        ...point,
        offsetMs: index * intervalMs,
      })),
    };
  });
}

function readRows({ text, name }: { text: string; name: string }): { line: number; row: Row }[] {
  const rows: { line: number; row: Row }[] = [];
  let nextLine = 1;
  try {
    parse(text, {
      bom: true,
      skip_empty_lines: true,
      columns: (header: string[]) => {
        nextLine = 2;
        return checkHeader(header, name);
      },
      on_record: (row: Row, context) => {
        rows.push({ line: nextLine, row });
        // `lines` counts to the end of this record; a quoted field may have held line breaks.
        nextLine = context.lines + 1;
        return null;
      },
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new StartError(`${name}, line ${String(error.lines ?? nextLine)}: ${error.message}.`, { cause: error });
  }
  return rows;
}

function checkHeader(header: string[], name: string): string[] {
  const missing = columns.filter((column) => !header.includes(column));
  if (missing.length === 0) return header;
  throw new StartError(
    `${name}, line 1: the column ${missing.join(', ')} is missing; expected is ${columns.join(',')}.`,
  );
}

function readPolyline(
  text: string | undefined,
  place: { where: string; field: string },
): { lat: number; lng: number }[] {
  let points: unknown;
  try {
    points = JSON.parse(text ?? '');
  } catch {
    throw fieldError(place, `${quote(text)} is not JSON`);
  }
  if (!Array.isArray(points)) throw fieldError(place, `${quote(points)} is not an array of points`);
  return points.map((point, index) => readLngLat(point, { ...place, field: `${place.field}[${index}]` }));
}
