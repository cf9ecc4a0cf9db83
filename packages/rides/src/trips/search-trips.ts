import type { TripState } from '@hushryd/contracts/trip';
import { AppError } from '@hushryd/platform/errors/app-error';
import type { Filter } from 'mongodb';
import type { TripDocument } from './trip-document.ts';
import type { TripStore } from './trip-store.ts';

export interface TripSearch {
  /** Start of a trip id, reference or driver id; case counts. */
  q?: string | undefined;
  state?: TripState | undefined;
  limit: number;
  /** What the page before gave as `nextCursor`. */
  cursor?: string | undefined;
}

/**
 * Find trips, newest first.
 *
 * A trip created while somebody pages through does not move the later pages: the cursor is a place in the order (createdAt, id), not a
 * number of trips.
 *
 * @throws AppError `cursor_invalid`, `database_unavailable`
 * Cost: with `q` as many index entries as match it, else `limit`.
 */
export async function searchTrips(
  store: TripStore,
  { q, state, limit, cursor }: TripSearch,
): Promise<{ trips: TripDocument[]; nextCursor: string | null }> {
  const conditions: Filter<TripDocument>[] = [];
  if (state !== undefined) conditions.push({ state });
  if (q !== undefined) conditions.push(startsWith(q));
  if (cursor !== undefined) conditions.push(after(readCursor(cursor)));

  const found = await store.find(conditions.length === 0 ? {} : { $and: conditions }, { limit: limit + 1 });
  const trips = found.slice(0, limit);
  const last = found.length > limit ? trips.at(-1) : undefined;
  return { trips, nextCursor: last === undefined ? null : writeCursor(last) };
}

/** As ranges: they use the index, and nothing in `q` can mean anything but itself. */
function startsWith(prefix: string): Filter<TripDocument> {
  const range = { $gte: prefix, $lt: `${prefix}\u{10ffff}` };
  return { $or: [{ _id: range }, { reference: range }, { driverId: range }] };
}

interface Place {
  createdAt: Date;
  tripId: string;
}

function after({ createdAt, tripId }: Place): Filter<TripDocument> {
  return { $or: [{ createdAt: { $lt: createdAt } }, { createdAt, _id: { $gt: tripId } }] };
}

function writeCursor(trip: TripDocument): string {
  return Buffer.from(`${trip.createdAt.getTime()}.${trip._id}`).toString('base64url');
}

function readCursor(cursor: string): Place {
  const match = /^(\d{1,15})\.([A-Za-z0-9_-]{1,64})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match?.[1] === undefined || match[2] === undefined) throw new AppError('cursor_invalid');
  return { createdAt: new Date(Number(match[1])), tripId: match[2] };
}
