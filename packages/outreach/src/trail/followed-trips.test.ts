import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { HistoryDocument } from '@hushryd/tracking/history/to-history-document';
import t from 'tap';
import { createFollowedTrips } from './followed-trips.ts';
import type { OpenAlert } from './open-alerts.ts';

const alert = (id: string, tripId: string | undefined, userId = 'rita'): OpenAlert => ({
  _id: id,
  state: 'open',
  person: { userId, role: 'rider' },
  receivedAt: new Date('2026-03-01T08:00:00Z'),
  trigger: { ...(tripId !== undefined && { tripId }) },
});

const accessOf = (tripId: string): TripAccess => ({
  tripId,
  version: 1,
  state: 'active',
  driverId: 'dora',
  passengerIds: ['rita', 'rosa'],
});

/** What a process that has just started knows, and what it says. */
function follow(open: OpenAlert[]) {
  const said: string[] = [];
  const asked: string[][] = [];
  let nowMs = 0;
  const trips = createFollowedTrips({
    readOpenAlerts: async () => open,
    readAccess: async (tripIds) => {
      asked.push(tripIds);
      return tripIds.filter((id) => id !== 'unknown').map(accessOf);
    },
    tracked: {
      note: async ({ _id, state }) => void said.push(`${_id} ${state}`),
      forget: async (id) => void said.push(`${id} forgotten`),
      noteLocation: async (id, { recordedAt }) => void said.push(`${id} at ${recordedAt}`),
    },
    monotonicMs: () => nowMs,
  });
  return {
    trips,
    said: () => said.splice(0),
    asked: () => asked.splice(0),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

t.test('one look tells all: whose trips belong to an alert, of two the older, and not those only named', async (t) => {
  const open = [
    alert('newer', 'trip', 'rosa'),
    alert('older', 'trip'),
    alert('stranger', 'another', 'mallory'),
    alert('nowhere', 'unknown'),
    alert('on foot', undefined),
  ];
  const { trips, said, asked, pass } = follow(open);
  t.equal(trips.alertOf('trip'), undefined);

  await trips.look();
  t.same(['trip', 'another', 'unknown'].map(trips.alertOf), ['older', undefined, undefined]);
  t.equal(said().length, 5);
  t.equal(asked().length, 1);

  await trips.look();
  t.same([said(), asked()], [[], []], 'nothing is asked or said twice');
  pass(10_000);
  await trips.look();
  t.equal(said().length, 5, 'but now and then, for a Redis that was emptied');
  open.splice(1, 1);
  await trips.look();
  t.equal(trips.alertOf('trip'), 'newer');
  t.same(said(), ['older forgotten'], 'its end');
});

t.test('where an alert is, is the newest of what was stored', async (t) => {
  const { trips, said } = follow([]);
  const at = (ms: number, alertId?: string) =>
    ({ ts: new Date(ms), meta: { driverId: 'dora', ...(alertId && { alertId }) }, lat: 1, lng: 1 }) as HistoryDocument;

  await trips.noteStored([at(2_000, 'a'), at(3_000, 'a'), at(1_000, 'a'), at(9_000)]);

  t.same(said(), ['a at 1970-01-01T00:00:03.000Z']);
});
