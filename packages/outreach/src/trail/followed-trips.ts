import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { HistoryDocument } from '@hushryd/tracking/history/to-history-document';
import type { OpenAlert } from './open-alerts.ts';
import type { TrackedAlerts } from './tracked-alerts.ts';
import { toTrailPoint } from './trail-point.ts';
import { toTrailTrip } from './trail-trip.ts';

/** Trips whose fixes belong to an open alert, as this process knows them. */
export interface FollowedTrips {
  /** Look which alerts are open, and say of those that are new or changed (now and then of all) that they are followed. */
  look(): Promise<void>;
  /** Of several alerts on one trip the oldest. */
  alertOf(tripId: string): string | undefined;
  /** Fixes were stored: where the alerts among them are now. Never throws. */
  noteStored(documents: readonly HistoryDocument[]): Promise<void>;
}

/** So soon after it was emptied Redis has all of them again. Source: reliability F10. */
const sayAllEveryMs = 10_000;

/**
 * Read from MongoDB and from nowhere else, so that no restart and no emptied Redis can lose a mark: a worker that knows nothing yet knows
 * everything after its first look. What was stored before it (a second, as a rule) lacks the mark alone: trails are read by trip and time.
 *
 * @param readAccess records of these trips, those that there are
 * Cost: a look reads the open alerts, and each alert's trip once.
 */
export function createFollowedTrips({
  readOpenAlerts,
  readAccess,
  tracked,
  monotonicMs = () => performance.now(),
}: {
  readOpenAlerts: () => Promise<OpenAlert[]>;
  readAccess: (tripIds: string[]) => Promise<TripAccess[]>;
  tracked: Pick<TrackedAlerts, 'note' | 'noteLocation' | 'forget'>;
  monotonicMs?: () => number;
}): FollowedTrips {
  /** By alert: the trip that it is on, or that it is on none. */
  let trips = new Map<string, string | undefined>();
  let alertByTrip = new Map<string, string>();
  let saidStates = new Map<string, string>();
  let sayAllAtMs = 0;

  /** Who is on a trip does not change for an alert that was raised on it. */
  async function findTrips(open: readonly OpenAlert[]): Promise<void> {
    const unknown = open.filter(({ _id }) => !trips.has(_id));
    const tripIds = [...new Set(unknown.flatMap(({ trigger: { tripId } }) => tripId ?? []))];
    const records = tripIds.length === 0 ? [] : await readAccess(tripIds);
    const accessOf = new Map(records.map((access) => [access.tripId, access]));
    const known = new Map<string, string | undefined>();
    for (const alert of open) {
      const { tripId = '' } = alert.trigger;
      const found = trips.has(alert._id)
        ? trips.get(alert._id)
        : toTrailTrip(alert, accessOf.get(tripId) ?? null)?.tripId;
      known.set(alert._id, found);
    }
    trips = known;
    // From the newest to the oldest, so that the oldest stays.
    alertByTrip = new Map(
      open.flatMap(({ _id }) => (known.get(_id) === undefined ? [] : [[known.get(_id) as string, _id]])),
    );
  }

  async function say(open: readonly OpenAlert[]): Promise<void> {
    const isAllDue = monotonicMs() >= sayAllAtMs;
    const toSay = open.filter(({ _id, state }) => isAllDue || saidStates.get(_id) !== state);
    await Promise.all(toSay.map((alert) => tracked.note({ ...alert, startedAtMs: alert.receivedAt.getTime() })));
    // What was said by the look before may have come after the word of its end.
    const openIds = new Set(open.map(({ _id }) => _id));
    await Promise.all([...saidStates.keys()].filter((id) => !openIds.has(id)).map((id) => tracked.forget(id)));
    saidStates = new Map(open.map(({ _id, state }) => [_id, state]));
    if (isAllDue) sayAllAtMs = monotonicMs() + sayAllEveryMs;
  }

  return {
    async look() {
      const open = await readOpenAlerts();
      await findTrips(open);
      await say(open);
    },

    alertOf: (tripId) => alertByTrip.get(tripId),

    async noteStored(documents) {
      const newest = new Map<string, HistoryDocument>();
      for (const document of documents) {
        const { alertId } = document.meta;
        if (alertId === undefined) continue;
        const known = newest.get(alertId);
        if (known === undefined || known.ts <= document.ts) newest.set(alertId, document);
      }
      const notes = [...newest].map(([alertId, document]) =>
        tracked.noteLocation(alertId, toTrailPoint('driver', document.ts.getTime(), document)),
      );
      await Promise.allSettled(notes);
    },
  };
}
