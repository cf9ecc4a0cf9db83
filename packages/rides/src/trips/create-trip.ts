import { createHash, randomBytes } from 'node:crypto';
import type { Place } from '@hushryd/contracts/geo';
import type { CreateTripBody } from '@hushryd/contracts/http/trips';
import { AppError } from '@hushryd/platform/errors/app-error';
import { isUnanswered, type TripWork } from './change-trip.ts';
import type { TripDocument } from './trip-document.ts';

export interface TripOrder {
  request: CreateTripBody;
  userId: string;
  /** The caller's Idempotency-Key. */
  key?: string | undefined;
  region: string;
}

/**
 * Create a planned trip, once, however often the request is repeated.
 *
 * The same `tripId`, or the same key of the same user, with the same request gives the trip of the first time, as it is now. With
 * neither, a repeated request is a new trip. A write without an answer is tried once more: the id makes the second one harmless.
 *
 * @returns the trip, and whether this call (or its lost first try) made it
 * @throws AppError `trip_exists` (another request has this id), `idempotency_key_reused`, `database_unavailable`
 * Cost: one majority write, one script call; one read more for a repeated request.
 */
export async function createTrip(
  { store, announce, now = Date.now }: TripWork,
  order: TripOrder,
): Promise<{ trip: TripDocument; isNew: boolean }> {
  const trip = toDocument(order, new Date(now()));
  const outcome = await store.insert(trip).catch((error: unknown) => {
    if (!isUnanswered(error)) throw error;
    return store.insert(trip);
  });
  const existing = outcome === 'duplicate' ? await findFirst() : undefined;
  await announce(existing ?? trip);
  return { trip: existing ?? trip, isNew: existing === undefined };

  async function findFirst(): Promise<TripDocument> {
    const { key, userId, fingerprint } = trip.creation;
    const withKey = key === undefined ? null : await store.findByKey({ userId, key });
    if (withKey !== null && withKey.creation.fingerprint !== fingerprint) throw new AppError('idempotency_key_reused');
    const first = withKey ?? (await store.findById(trip._id));
    if (first === null)
      throw new AppError('database_unavailable', { detail: 'the first request is still being written' });
    if (first.creation.fingerprint !== fingerprint) throw new AppError('trip_exists');
    return first;
  }
}

function toDocument({ request, userId, key, region }: TripOrder, createdAt: Date): TripDocument {
  const { tripId, reference, driverId, passengerIds, origin, destination, plannedRoute } = request;
  return {
    _id: tripId ?? randomBytes(16).toString('base64url'),
    region,
    state: 'planned',
    driverId,
    passengerIds,
    ...(reference !== undefined && { reference }),
    origin,
    destination,
    ...(plannedRoute !== undefined && { plannedRoute }),
    createdAt,
    version: 1,
    changedAt: createdAt,
    changedBy: 'trip.created',
    creation: { userId, ...(key !== undefined && { key }), fingerprint: fingerprintOf(request) },
  };
}

/** The same for the same request, in whatever order its fields came. */
function fingerprintOf(request: CreateTripBody): string {
  const place = ({ lat, lng, label }: Place) => [lat, lng, label ?? null];
  const facts = [
    request.tripId ?? null,
    request.reference ?? null,
    request.driverId,
    request.passengerIds,
    place(request.origin),
    place(request.destination),
    request.plannedRoute?.map(({ lat, lng }) => [lat, lng]) ?? null,
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('base64url');
}
