import type { Trip } from '@hushryd/contracts/trip';
import t from 'tap';
import { chooseRiders } from './choose-rider.ts';

const trip = (tripId: string, passengerIds: string[], state: Trip['state'] = 'active') =>
  ({ tripId, passengerIds, state }) as Trip;

t.test('a rider of a running trip presses who has no alert yet, of the newest trip first', async (t) => {
  const trips = [
    trip('ended', ['a'], 'ended'),
    trip('empty', []),
    trip('new', ['alerting', 'b']),
    trip('all-alerting', ['alerting']),
    trip('old', ['c']),
  ];
  t.same(
    chooseRiders(trips, [{ userId: 'alerting' }]).map(({ userId, trip: { tripId } }) => [userId, tripId]),
    [
      ['b', 'new'],
      ['c', 'old'],
    ],
  );
  t.same(chooseRiders([], []), []);
});
