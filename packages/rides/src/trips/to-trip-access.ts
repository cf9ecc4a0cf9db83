import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { TripDocument } from './trip-document.ts';

/** Who may see a trip and when a fix may count for it: the part of a trip that Redis holds for the realtime and api nodes. */
export function toTripAccess(document: TripAccessFields): TripAccess {
  return {
    tripId: document._id,
    version: document.version,
    state: document.state,
    driverId: document.driverId,
    passengerIds: document.passengerIds,
    ...(document.startedAt !== undefined && { startedAtMs: document.startedAt.getTime() }),
    ...(document.endedAt !== undefined && { endedAtMs: document.endedAt.getTime() }),
  };
}

export type TripAccessFields = Pick<
  TripDocument,
  '_id' | 'version' | 'state' | 'driverId' | 'passengerIds' | 'startedAt' | 'endedAt'
>;

/** What to read of a document to make a record of it. */
export const tripAccessProjection = {
  version: 1,
  state: 1,
  driverId: 1,
  passengerIds: 1,
  startedAt: 1,
  endedAt: 1,
} as const;
