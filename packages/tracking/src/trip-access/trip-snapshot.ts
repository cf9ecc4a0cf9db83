import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { TripSnapshot } from '@hushryd/contracts/realtime/server-frames';

/** What of a trip a client is told that cannot be told everything it missed. */
export function toTripSnapshot({ tripId, version, state, driverId, startedAtMs, endedAtMs }: TripAccess): TripSnapshot {
  return {
    tripId,
    version,
    state,
    driverId,
    ...(startedAtMs !== undefined && { startedAtMs }),
    ...(endedAtMs !== undefined && { endedAtMs }),
  };
}
