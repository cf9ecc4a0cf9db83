import type { TripEvent } from '@hushryd/contracts/events/topic-event';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { toAppError } from '@hushryd/platform/errors/app-error';
import type { Logger } from '@hushryd/platform/logging/logger';
import { toTripAccess } from './to-trip-access.ts';
import { type TripDocument, toTripEvent } from './trip-document.ts';

/** Tell tracking about a trip's newest version. Never throws. */
export type AnnounceTrip = (document: TripDocument) => Promise<void>;

/** The parts of tracking that a trip's change has to reach: `createAccessPublisher` and `createDriverStates`. */
export interface TripListeners {
  publisher: { publish(change: { access: TripAccess; event?: TripEvent }): Promise<unknown> };
  driverStates: { clearTrip(ended: { driverId: string; tripId: string }): Promise<unknown> };
}

/**
 * Announce what MongoDB has already acknowledged: access record and event on the trip's topic, and at the end of a trip the driver's
 * position is freed of it.
 *
 * A failure is logged and nothing more: the trip stands, and the worker republishes what changed within the last minute every two
 * seconds. Both calls go by version or by trip, so announcing twice changes nothing.
 */
export function createTripAnnouncer({ publisher, driverStates, log }: TripListeners & { log: Logger }): AnnounceTrip {
  return async (document) => {
    const work: Promise<unknown>[] = [
      publisher.publish({ access: toTripAccess(document), event: toTripEvent(document) }),
    ];
    if (document.state === 'ended') {
      work.push(driverStates.clearTrip({ driverId: document.driverId, tripId: document._id }));
    }
    for (const result of await Promise.allSettled(work)) {
      if (result.status === 'fulfilled') continue;
      const { code, message } = toAppError(result.reason);
      log.warn(
        { tripId: document._id, version: document.version, code, reason: message },
        'trip not announced, the worker will',
      );
    }
  };
}
