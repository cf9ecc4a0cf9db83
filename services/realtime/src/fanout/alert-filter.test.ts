import t from 'tap';
import { createAlertFilter } from './alert-filter.ts';

const porto = { south: 41.1, west: -8.7, north: 41.2, east: -8.5 };
const inside = { lat: 41.15, lng: -8.6 };
const outside = { lat: 38.7, lng: -9.1 };

const of = (alertId: string, version: number, changes: object = {}) => ({
  name: 'sos.noted',
  ...{ alertId, version, state: 'open', userId: 'rosa', ...changes },
});

t.test('an alert that stops fitting is gone, once', async (t) => {
  const judge = createAlertFilter({ states: ['open'] });
  const acknowledged = { state: 'acknowledged' };
  t.equal(judge(of('a', 1)), 'fits');
  t.equal(judge(of('a', 2, acknowledged)), 'gone');
  t.equal(judge(of('a', 3, acknowledged)), 'other');
  t.equal(judge(of('a', 4)), 'fits', 'pressed again, it is back');
  t.equal(judge(of('a', 5, { state: 'resolved' })), 'gone');

  const around = createAlertFilter({ bbox: porto });
  t.equal(around(of('b', 1)), 'fits', 'without a place');
  t.equal(around(of('b', 2, outside)), 'gone', 'a later press says where it was');
  t.equal(around(of('b', 3, inside)), 'fits');
});

t.test(
  'one that was there before is gone once, since a list may have it; a new one that does not fit is not told',
  async (t) => {
    const judge = createAlertFilter({ bbox: porto });
    t.equal(judge(of('old', 7, outside)), 'gone');
    t.equal(judge(of('old', 8, outside)), 'other');
    t.equal(judge(of('new', 1, outside)), 'other');
    t.equal(judge(of('new', 2, outside)), 'other');
  },
);

t.test('what a text does not find was in no list by it', async (t) => {
  const judge = createAlertFilter({ text: 'ROSA', states: ['open'] });
  t.equal(judge(of('a', 7, { userId: 'rita' })), 'other');
  t.equal(judge(of('b', 7)), 'fits');
  t.equal(judge(of('b', 8, { state: 'resolved' })), 'gone');
});

t.test('an event that comes late takes out nothing, and is told where the alert still fits', async (t) => {
  const judge = createAlertFilter({ states: ['open'] });
  t.equal(judge(of('a', 5)), 'fits');
  t.equal(judge(of('a', 4, { state: 'acknowledged' })), 'other', 'the client has a newer one');
  t.equal(judge(of('a', 3)), 'fits', 'and is told what happened');
  t.equal(judge(of('a', 6, { state: 'acknowledged' })), 'gone');
});

t.test('an event that comes late puts nothing back', async (t) => {
  const judge = createAlertFilter({ states: ['open'] });
  t.equal(judge(of('a', 2)), 'fits');
  t.equal(judge(of('a', 4, { state: 'acknowledged' })), 'gone');
  t.equal(judge(of('a', 3, { name: 'sos.escalated' })), 'other', 'by another process, with its older copy');
  t.equal(judge(of('a', 5, { state: 'acknowledged' })), 'other', 'it is still gone');
  t.equal(judge(of('a', 6)), 'fits', 'pressed again');

  t.equal(judge(of('b', 4, { state: 'acknowledged' })), 'gone', 'never heard of here');
  t.equal(judge(of('b', 3)), 'other');
});

t.test('after a gap of versions an alert is gone once more: it may have been listed between', async (t) => {
  const judge = createAlertFilter({ states: ['open'] });
  const acknowledged = { state: 'acknowledged' };
  t.equal(judge(of('a', 2, acknowledged)), 'gone');
  t.equal(judge(of('a', 4, acknowledged)), 'gone', 'by 3 it may have fitted');
  t.equal(judge(of('a', 5, acknowledged)), 'other');

  t.equal(judge(of('b', 1, acknowledged)), 'other');
  t.equal(judge(of('b', 3, acknowledged)), 'gone', 'also of one that was never told');
});

t.test('a drill is told or not, and never gone', async (t) => {
  const drill = { name: 'sos.drill', alertId: 'd1' };
  t.equal(createAlertFilter({ bbox: porto, states: ['open'] })(drill), 'fits');
  t.equal(createAlertFilter({ text: 'x' })(drill), 'other');
});

t.test('it remembers a thousand alerts; what is forgotten is said to be gone once more', async (t) => {
  const judge = createAlertFilter({ states: ['open'] });
  const resolved = { state: 'resolved' };
  t.equal(judge(of('first', 1)), 'fits');
  for (let number = 1; number <= 1_000; number += 1) judge(of(`alert-${number}`, 1, resolved));
  t.equal(judge(of('alert-1000', 2, resolved)), 'other');
  t.equal(judge(of('first', 2, resolved)), 'gone', 'forgotten is not lost');
});
