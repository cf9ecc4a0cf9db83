import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { Identity } from '@hushryd/platform/auth/claims';
import type { Logger } from '@hushryd/platform/logging/logger';
import { isStaff } from '@hushryd/tracking/trip-access/access-rules';

export type AuditReading = (identity: Identity, trip: TripAccess, scope: 'trip' | 'track') => void;

/** Staff may look at trips that are over; that they did is written down (security checklist, "Objects"). */
export function createAuditReading(log: Logger): AuditReading {
  return (identity, trip, scope) => {
    if (!isStaff(identity) || trip.state !== 'ended') return;
    log.info({ userId: identity.userId, tripId: trip.tripId, scope }, 'ended trip read by staff');
  };
}
