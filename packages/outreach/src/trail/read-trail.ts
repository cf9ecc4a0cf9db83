import type { TrailPoint, TrailSource } from '@hushryd/contracts/http/sos-trail';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { TrackPlace } from '@hushryd/tracking/history/history-store';
import { comparePlaces, placeOfReading, type TrailFixes, type TrailQuery } from '@hushryd/tracking/history/trail-fixes';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import type { AlertDocument } from '../alerts/alert-document.ts';
import { toTrailPoint } from './trail-point.ts';
import { type TrailTrip, toTrailTrip } from './trail-trip.ts';

export type TrailAlert = Pick<AlertDocument, '_id' | 'person' | 'trigger' | 'acceptedAt' | 'closedAt'>;

export interface TrailPage {
  /** In order of time, each once. */
  points: TrailPoint[];
  nextCursor: string | null;
}

export interface TrailReader {
  /**
   * The trail of an alert, from its beginning or from after a cursor. The last page ends with where the driver is now, also where history
   * does not have it yet.
   *
   * @param page.since nothing before this
   * @param page.until nothing after this
   * @throws AppError `cursor_invalid`, `database_unavailable`, `access_unavailable`
   */
  read(
    alert: TrailAlert,
    page: { limit: number; cursor?: string | undefined; since?: Date | undefined; until?: Date | undefined },
  ): Promise<TrailPage>;
  /** @throws AppError `access_unavailable` where nobody could say */
  tripOf(alert: TrailAlert): Promise<TrailTrip | undefined>;
}

interface Place extends TrackPlace {
  source: TrailSource;
}

interface Placed {
  place: Place;
  point: TrailPoint;
}

/** The minute before the press says where it came from. */
const beforePressMs = 60_000;
/** A press may have waited for the network: what was recorded meanwhile belongs to it. No phone's clock reaches further back. */
const maxLateMs = 86_400_000;
/** And may run ahead by this. */
const clockAheadMs = 60_000;

/**
 * Where the person and the trip's driver have been since the button was pressed: two sorted reads, merged.
 *
 * @param readAccess record of a trip, null where there is none; throws where nobody can say
 * Cost: two indexed finds of `limit` and one HGET, beside the trip's record.
 */
export function createTrailReader({
  fixes,
  readAccess,
  positions,
  now = Date.now,
}: {
  fixes: Pick<TrailFixes, 'readPerson' | 'readTrip'>;
  readAccess: (tripId: string) => Promise<TripAccess | null>;
  positions: Pick<PositionReader, 'read'>;
  now?: () => number;
}): TrailReader {
  async function tripOf(alert: TrailAlert): Promise<TrailTrip | undefined> {
    const { tripId } = alert.trigger;
    return tripId === undefined ? undefined : toTrailTrip(alert, await readAccess(tripId));
  }

  /** What a fix that is on its way to history, or that history could not take yet, says of now. */
  async function readNewest(trip: TrailTrip | undefined, window: TrailQuery): Promise<Placed[]> {
    if (trip === undefined) return [];
    // Without Redis the trail is what history has.
    const position = await positions.read(trip.driverId).catch(() => null);
    if (position === null || position.tripId !== trip.tripId) return [];
    const { recordedAtMs, run, seq } = position;
    if (recordedAtMs < window.from.getTime() || recordedAtMs > window.until.getTime()) return [];
    const place: Place = { source: 'driver', tsMs: recordedAtMs, run, seq };
    return [{ place, point: toTrailPoint('driver', recordedAtMs, position) }];
  }

  return {
    tripOf,
    async read(alert, { limit, cursor, since, until }) {
      const after = cursor === undefined ? undefined : readCursor(cursor);
      const trip = await tripOf(alert);
      const begin = beginOf(alert);
      const from = since !== undefined && since > begin ? since : begin;
      const end = Math.min((until ?? alert.closedAt ?? new Date(now() + clockAheadMs)).getTime(), now() + clockAheadMs);
      // One more than fits says whether there are more.
      const window = { from, until: new Date(end), limit: limit + 1 };
      const placeFor = (source: TrailSource) => after && toSourcePlace(after, source);
      const [ofPerson, ofDriver, newest] = await Promise.all([
        fixes.readPerson(alert._id, { ...window, after: placeFor('person') }),
        trip === undefined ? [] : fixes.readTrip(trip.tripId, { ...window, after: placeFor('driver') }),
        readNewest(trip, window),
      ]);
      const toPlaced = (source: TrailSource) => (reading: (typeof ofPerson)[number]) => ({
        place: { source, ...placeOfReading(reading) },
        point: toTrailPoint(source, reading.ts.getTime(), reading),
      });
      const all = merge([...ofPerson.map(toPlaced('person')), ...ofDriver.map(toPlaced('driver')), ...newest], after);
      const page = all.slice(0, limit);
      const last = page.at(-1);
      return {
        points: page.map(({ point }) => point),
        nextCursor: all.length > limit && last !== undefined ? writeCursor(last.place) : null,
      };
    },
  };
}

function beginOf({ acceptedAt, trigger }: TrailAlert): Date {
  const acceptedMs = acceptedAt.getTime();
  const pressedMs = Math.min(acceptedMs, Date.parse(trigger.triggeredAt));
  return new Date(Math.max(acceptedMs - maxLateMs, pressedMs - beforePressMs));
}

function merge(placed: Placed[], after: Place | undefined): Placed[] {
  const sorted = placed.sort((a, b) => compare(a.place, b.place));
  return sorted.filter(({ place }, index) => {
    if (after !== undefined && compare(place, after) <= 0) return false;
    const before = sorted[index - 1];
    return before === undefined || compare(before.place, place) !== 0;
  });
}

const rank = ({ source }: Place): number => (source === 'driver' ? 0 : 1);

/** By time; at the same moment the driver first. */
function compare(a: Place, b: Place): number {
  return a.tsMs - b.tsMs || rank(a) - rank(b) || comparePlaces(a, b);
}

/** Where a reader of one source stands, who read the merged trail up to here. */
function toSourcePlace(after: Place, source: TrailSource): TrackPlace {
  if (after.source === source) return after;
  const isPassed = rank(after) > rank({ ...after, source });
  return { tsMs: after.tsMs, run: isPassed ? Number.MAX_SAFE_INTEGER : 0, seq: 0 };
}

function writeCursor({ source, tsMs, run, seq }: Place): string {
  return Buffer.from(`${source}.${tsMs}.${run}.${seq}`).toString('base64url');
}

function readCursor(cursor: string): Place {
  const text = Buffer.from(cursor, 'base64url').toString('latin1');
  const match = /^(driver|person)\.(\d{1,16})\.(\d{1,16})\.(\d{1,10})$/.exec(text);
  if (match === null) throw new AppError('cursor_invalid');
  return { source: match[1] as TrailSource, tsMs: Number(match[2]), run: Number(match[3]), seq: Number(match[4]) };
}
