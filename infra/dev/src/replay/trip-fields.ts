import { StartError } from '../start-error.ts';

const idPattern = /^[A-Za-z0-9_-]{1,64}$/;
// A time without a zone would mean another moment on another machine.
const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/;

/** Where in a file a field stands, for sentences: `trips.csv, line 3, field "taxi_id"`. */
export interface FieldPlace {
  readonly where: string;
  readonly field: string;
}

/** An error whose sentence names the place. */
export function fieldError(place: FieldPlace, fault: string): StartError {
  return new StartError(`${place.where}, field "${place.field}": ${fault}.`);
}

export function isId(text: string): boolean {
  return idPattern.test(text);
}

/** @throws StartError unless the value is 1–64 of `A–Z a–z 0–9 _ -` */
export function readId(value: unknown, place: FieldPlace): string {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text === 'string' && isId(text)) return text;
  throw fieldError(place, `${quote(value)} is not an id (1 to 64 letters, digits, "_" or "-")`);
}

/** @returns epoch milliseconds; @throws StartError unless the value is an ISO 8601 time with a zone */
export function readTime(value: unknown, place: FieldPlace): number {
  const timeMs = typeof value === 'string' && timePattern.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isFinite(timeMs)) return timeMs;
  throw fieldError(place, `${quote(value)} is not a time like 2013-08-14T23:39:06Z`);
}

/** @returns milliseconds; @throws StartError unless the value is a number of seconds above 0 and at most an hour */
export function readIntervalMs(value: unknown, place: FieldPlace): number {
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof seconds === 'number' && seconds > 0 && seconds <= 3600) return seconds * 1000;
  throw fieldError(place, `${quote(value)} is not a number of seconds between 0 and 3600`);
}

/** @throws StartError unless the value is an array `[longitude, latitude]` in range (more elements, as a height, are ignored) */
export function readLngLat(value: unknown, place: FieldPlace): { lat: number; lng: number } {
  const [lng, lat] = Array.isArray(value) ? value : [];
  if (isWithin(lng, 180) && isWithin(lat, 90)) return { lat, lng };
  throw fieldError(place, `${quote(value)} is not [longitude, latitude] in degrees`);
}

function isWithin(value: unknown, limit: number): value is number {
  return typeof value === 'number' && Math.abs(value) <= limit;
}

/** A value as it stands in a sentence, cut where it is long. */
export function quote(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
