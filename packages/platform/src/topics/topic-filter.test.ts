import t from 'tap';
import { compileFilter, isInBox, toFilterable } from './topic-filter.ts';

const porto = { south: 41.1, west: -8.7, north: 41.2, east: -8.5 };

t.test('all that is given has to fit, and what a thing does not have it is not judged by', async (t) => {
  const table: [Parameters<typeof compileFilter>[0], object, boolean][] = [
    [{ states: ['available'] }, { state: 'available' }, true],
    [{ states: ['available'] }, { state: 'on_trip' }, false],
    [{ states: ['available'] }, { name: 'sos.drill', alertId: 'a1' }, true],
    [{ bbox: porto }, { lat: 41.15, lng: -8.6 }, true],
    [{ bbox: porto }, { lat: 41.3, lng: -8.6 }, false],
    [{ bbox: porto }, { alertId: 'a1' }, true],
    [{ text: 'DRIVER-7' }, { driverId: 'my-driver-77' }, true],
    [{ text: 'driver-7' }, { driverId: 'driver-8', tripId: 'trip-7' }, false],
    [{ text: 'driver-7' }, { name: 'notice' }, true],
    [{ bbox: porto, states: ['on_trip'] }, { lat: 41.15, lng: -8.6, state: 'available' }, false],
    [{}, {}, true],
  ];
  for (const [filter, event, fits] of table) {
    t.equal(compileFilter(filter)(toFilterable(event)), fits, `${JSON.stringify(filter)} and ${JSON.stringify(event)}`);
  }
});

t.test('a box may span the date line', async (t) => {
  const pacific = { south: -20, west: 170, north: 20, east: -170 };
  t.ok(isInBox(pacific, 0, 179));
  t.ok(isInBox(pacific, 0, -179));
  t.notOk(isInBox(pacific, 0, 0));
});
