import fc from 'fast-check';
import tap from 'tap';
import { bearingDegrees, groundMeters, toLatLng, toWorld } from './mercator.ts';

tap.test('a coordinate survives the way to the map and back to 1e-9 degrees', async (t) => {
  fc.assert(
    fc.property(
      fc.double({ min: -85, max: 85, noNaN: true }),
      fc.double({ min: -180, max: 180, noNaN: true }),
      (lat, lng) => {
        const back = toLatLng(toWorld(lat, lng));
        t.ok(Math.abs(back.lat - lat) < 1e-9 && Math.abs(back.lng - lng) < 1e-9);
      },
    ),
  );
});

tap.test('distances and bearings on the ground', async (t) => {
  const porto = toWorld(41.15, -8.61);
  const north = toWorld(41.16, -8.61);
  const east = toWorld(41.15, -8.6);

  t.ok(Math.abs(groundMeters(porto, north) - 1113) < 5);
  t.ok(Math.abs(groundMeters(porto, east) - 838) < 5);
  t.ok(bearingDegrees(porto, north) < 0.01);
  t.ok(Math.abs(bearingDegrees(porto, east) - 90) < 0.01);
});
