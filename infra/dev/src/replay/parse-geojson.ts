import { parse as findErrors, type ParseError } from 'jsonc-parser';
import { StartError } from '../start-error.ts';
import type { RecordedTrip } from './recorded-trip.ts';
import { fieldError, readId, readIntervalMs, readLngLat, readTime } from './trip-fields.ts';

type Json = Record<string, unknown>;

/**
 * LineString features of a GeoJSON file, each a trip. Times come from `properties.coordTimes` (one ISO time a point, as GPX converters
 * write it) or from `started_at` and `sample_interval_s`; `trip_id` and `taxi_id` are taken where they are there.
 *
 * @param input.name the file's name, for sentences
 * @throws StartError naming line and column, or feature and field, of the first fault
 */
export function parseGeoJson({ text, name }: { text: string; name: string }): RecordedTrip[] {
  const document = parseJson(text, name);
  const features = asObject(document).type === 'Feature' ? [document] : asObject(document).features;
  if (!Array.isArray(features)) {
    throw new StartError(`${name}: it is JSON, but neither a FeatureCollection nor a Feature.`);
  }
  return features.map((feature, index) => readFeature(asObject(feature), index + 1, name));
}

function readFeature(feature: Json, number: number, name: string): RecordedTrip {
  const at = (field: string) => ({ where: `${name}, feature ${number}`, field });
  const geometry = asObject(feature.geometry);
  const properties = asObject(feature.properties);
  if (geometry.type !== 'LineString' || !Array.isArray(geometry.coordinates)) {
    throw fieldError(at('geometry'), 'only LineString features are trips');
  }
  const points = geometry.coordinates.map((value, index) => readLngLat(value, at(`geometry.coordinates[${index}]`)));
  const timesMs = readTimes(properties, points.length, at);
  const startedAtMs = timesMs[0] ?? 0;
  return {
    tripId: readId(properties.trip_id ?? `feature-${number}`, at('properties.trip_id')),
    driverId: readId(properties.taxi_id ?? `driver-${number}`, at('properties.taxi_id')),
    startedAtMs,
    fixes: points.map((point, index) => ({ ...point, offsetMs: (timesMs[index] ?? startedAtMs) - startedAtMs })),
  };
}

function readTimes(properties: Json, count: number, at: (field: string) => { where: string; field: string }): number[] {
  const { coordTimes } = properties;
  if (coordTimes === undefined) {
    const startedAtMs = readTime(properties.started_at, at('properties.started_at'));
    const intervalMs = readIntervalMs(properties.sample_interval_s, at('properties.sample_interval_s'));
    return Array.from({ length: count }, (_, index) => startedAtMs + index * intervalMs);
  }
  if (!Array.isArray(coordTimes) || coordTimes.length !== count) {
    throw fieldError(at('properties.coordTimes'), `${count} times are needed, one a point`);
  }
  const timesMs = coordTimes.map((value, index) => readTime(value, at(`properties.coordTimes[${index}]`)));
  const fallsAt = timesMs.findIndex((timeMs, index) => timeMs < (timesMs[index - 1] ?? timeMs));
  if (fallsAt >= 0)
    throw fieldError(at(`properties.coordTimes[${fallsAt}]`), 'it is before the time of the point before');
  return timesMs;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    // Node 20's own message often leaves the place out.
    const errors: ParseError[] = [];
    findErrors(text, errors);
    const lines = text.slice(0, errors[0]?.offset).split('\n');
    const column = (lines.at(-1)?.length ?? 0) + 1;
    throw new StartError(`${name}, line ${lines.length}, column ${column}: this is not JSON.`, { cause });
  }
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}
