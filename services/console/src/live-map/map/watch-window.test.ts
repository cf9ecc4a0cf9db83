import tap from 'tap';
import { padBox } from './watch-window.ts';

tap.test('a window is asked for with a margin, and ends where the map does', async (t) => {
  t.same(padBox({ south: 41, west: -9, north: 42, east: -7 }), { south: 40.75, west: -9.5, north: 42.25, east: -6.5 });
  t.same(padBox({ south: -85, west: -190, north: 85, east: 190 }), { south: -90, west: -180, north: 90, east: 180 });
});
