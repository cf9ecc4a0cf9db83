import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import t from 'tap';
import { thinTrail } from './thin-trail.ts';
import { toTrailTrip } from './trail-trip.ts';

t.test('a trip belongs to an alert only where the person is of the trip', async (t) => {
  const access: TripAccess = {
    tripId: 'trip',
    version: 2,
    state: 'active',
    driverId: 'dora',
    passengerIds: ['rita'],
  };
  const alertOf = (userId: string, tripId?: string) => ({
    person: { userId },
    trigger: { ...(tripId !== undefined && { tripId }) },
  });

  t.same(toTrailTrip(alertOf('rita', 'trip'), access), { tripId: 'trip', driverId: 'dora' });
  t.same(toTrailTrip(alertOf('dora', 'trip'), access), { tripId: 'trip', driverId: 'dora' });
  t.equal(toTrailTrip(alertOf('mallory', 'trip'), access), undefined, 'whoever names somebody else’s trip');
  t.equal(toTrailTrip(alertOf('rita'), access), undefined);
  t.equal(toTrailTrip(alertOf('rita', 'trip'), null), undefined);
});

t.test('a long trail keeps its beginning, its newest half, and evenly what is between', async (t) => {
  const points = Array.from({ length: 1_000 }, (_, index) => ({
    source: 'person' as const,
    lat: index / 1_000,
    lng: 0,
    recordedAt: new Date(index * 1_000).toISOString(),
  }));

  const thin = thinTrail(points, 100);
  t.equal(thin.length, 100);
  t.same(thin[0], points[0]);
  t.same(thin.slice(-50), points.slice(-50));
  t.same(
    thin,
    [...thin].sort((a, b) => a.lat - b.lat),
  );
  t.same(thinTrail(points.slice(0, 100), 100), points.slice(0, 100));
});
