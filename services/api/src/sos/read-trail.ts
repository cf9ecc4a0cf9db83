import type { AlertDocument } from '@hushryd/outreach/alerts/alert-document';
import type { TrackPlace } from '@hushryd/tracking/history/history-store';
import type { TrackReader } from '@hushryd/tracking/history/read-track';
import { placeOfReading, type TrailFixes } from '@hushryd/tracking/history/trail-fixes';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import type { GpxPoint } from '../gpx.ts';
import { withinDeadline } from '../within-deadline.ts';
import type { ReadTrail, TrailTrack } from './write-trail.ts';

const fixesPerPage = 5000;
/** How it came to the press belongs to it. */
const beforePressMs = 10 * 60_000;
/** Phones’ clocks may run ahead by this. */
const clockAheadMs = 60_000;

/**
 * The person's own fixes, and those of the trip that the phone named, whether or not the person is still on it: staff may read any trip,
 * and somebody may have taken the person off it after the press.
 *
 * @throws AppError `redis_unavailable`, `database_unavailable`
 */
export function createReadTrail({
  access,
  track,
  fixes,
}: {
  access: Pick<AccessCache, 'load'>;
  track: Pick<TrackReader, 'readPages'>;
  fixes: Pick<TrailFixes, 'readPerson'>;
}): ReadTrail {
  return async (alert) => {
    const tracks: TrailTrack[] = [{ name: `person ${alert.person.userId}`, pages: ofPerson(alert) }];
    const { tripId } = alert.trigger;
    const trip = tripId === undefined ? null : await withinDeadline(access.load(tripId));
    if (trip === null) return tracks;
    const { driverId } = trip;
    const pages = track.readPages({ tripId: trip.tripId, driverId, limit: fixesPerPage });
    return [...tracks, { name: `driver ${driverId}, trip ${trip.tripId}`, pages: during(alert, pages) }];
  };

  async function* ofPerson(alert: AlertDocument): AsyncGenerator<GpxPoint[]> {
    for (let after: TrackPlace | undefined; ; ) {
      const page = await fixes.readPerson(alert._id, { ...windowOf(alert), after, limit: fixesPerPage });
      yield page.map(toPoint);
      const last = page.at(-1);
      if (last === undefined || page.length < fixesPerPage) return;
      after = placeOfReading(last);
    }
  }
}

async function* during(alert: AlertDocument, pages: ReturnType<TrackReader['readPages']>): AsyncGenerator<GpxPoint[]> {
  const { from, until } = windowOf(alert);
  for await (const page of pages) {
    yield page.filter(({ ts }) => ts >= from && ts <= until).map(toPoint);
    const last = page.at(-1);
    if (last !== undefined && last.ts > until) return;
  }
}

function windowOf({ trigger, acceptedAt, closedAt }: AlertDocument): { from: Date; until: Date } {
  const pressedMs = Math.min(Date.parse(trigger.triggeredAt), acceptedAt.getTime());
  const endMs = closedAt?.getTime() ?? Date.now() + clockAheadMs;
  return { from: new Date(pressedMs - beforePressMs), until: new Date(endMs) };
}

const toPoint = ({ lat, lng, ts }: { lat: number; lng: number; ts: Date }): GpxPoint => ({
  lat,
  lng,
  recordedAt: ts.toISOString(),
});
