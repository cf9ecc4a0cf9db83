import type { Trip } from '@hushryd/contracts/trip';
import type { HttpClient } from '@hushryd/sdk/http/http-client';
import t from 'tap';
import { findRider } from './find-rider.ts';

const trip = (tripId: string) => ({ tripId, passengerIds: [`rider-of-${tripId}`], state: 'active' }) as Trip;
const position = { lat: 41.15, lng: -8.61, recordedAt: '2026-03-01T08:00:00.000Z' };

/** A system of which these trips are known at each look, and of which these have been heard. */
function operatorOf(looks: readonly { trips: string[]; heard: string[] }[]) {
  let seen = -1;
  const now = () => looks[Math.min(seen, looks.length - 1)];
  const operator = {
    async listTrips() {
      seen += 1;
      return { trips: (now()?.trips ?? []).map(trip), nextCursor: null };
    },
    listAlerts: async () => ({ alerts: [], nextCursor: null }),
    getTripLocation: async (tripId: string) => ({
      isModified: true,
      location: now()?.heard.includes(tripId) ? position : null,
    }),
  };
  return operator as unknown as HttpClient;
}
const { signal } = new AbortController();

t.test('in a system that has just started a press waits until a rider’s car has been heard', async (t) => {
  const operator = operatorOf([
    { trips: [], heard: [] },
    { trips: ['first'], heard: [] },
    { trips: ['second', 'first'], heard: ['first'] },
  ]);

  const found = await findRider({ operator, signal, everyMs: 1 });

  t.match(found, { rider: { userId: 'rider-of-first' }, position });
});

t.test('many new trips that were not heard yet hide none that was', async (t) => {
  const trips = Array.from({ length: 20 }, (_, index) => `trip-${index}`);
  const operator = operatorOf([{ trips, heard: ['trip-19'] }]);

  t.match(await findRider({ operator, signal, waitMs: 0 }), { rider: { userId: 'rider-of-trip-19' } });
});

t.test('nobody is waited for without end, nor when everything ends', async (t) => {
  const operator = operatorOf([{ trips: [], heard: [] }]);
  await t.rejects(findRider({ operator, signal, waitMs: 5, everyMs: 1 }), { name: 'NobodyRidesError' });
  await t.rejects(findRider({ operator, signal: AbortSignal.abort() }), { name: 'NobodyRidesError' });
});
