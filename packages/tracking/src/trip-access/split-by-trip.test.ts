import type { Fix } from '@hushryd/contracts/fix';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import t from 'tap';
import { splitByTrip } from './split-by-trip.ts';

const startedAtMs = 1_000_000;
const endedAtMs = 2_000_000;
const access: TripAccess = {
  tripId: 'trip',
  version: 3,
  state: 'ended',
  driverId: 'dora',
  passengerIds: [],
  startedAtMs,
  endedAtMs,
};
const fixAt = (recordedAtMs: number, seq = 1): Fix => ({ seq, recordedAtMs, lat: 0, lng: 0 });

t.test('fixes count for the trip from 30 s before its start to 30 s after its end', async (t) => {
  const times = [startedAtMs - 30_001, startedAtMs - 30_000, endedAtMs + 30_000, endedAtMs + 30_001];
  const fixes = times.map((recordedAtMs, index) => fixAt(recordedAtMs, index + 1));

  t.same(splitByTrip({ fixes, driverId: 'dora', access }), [
    { fixes: fixes.slice(0, 1) },
    { tripId: 'trip', fixes: fixes.slice(1, 3) },
    { fixes: fixes.slice(3) },
  ]);
});

t.test("another driver's trip, an unknown one and none count for the driver alone", async (t) => {
  const fixes = [fixAt(startedAtMs)];
  const { startedAtMs: _, ...planned } = access;

  t.same(splitByTrip({ fixes, driverId: 'dora', access }), [{ tripId: 'trip', fixes }]);
  t.same(splitByTrip({ fixes, driverId: 'emil', access }), [{ fixes }]);
  t.same(splitByTrip({ fixes, driverId: 'dora', access: planned }), [{ fixes }]);
  t.same(splitByTrip({ fixes, driverId: 'dora', access: null }), [{ fixes }]);
  t.same(splitByTrip({ fixes, driverId: 'dora', access: undefined }), [{ fixes }]);
  t.same(splitByTrip({ fixes: [], driverId: 'dora', access }), []);
});
