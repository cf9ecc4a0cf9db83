import tap from 'tap';
import { pressFeatures, trailFeatures } from './alert-features.ts';
import type { TrailPoint } from './trail-point.ts';

const point = (source: TrailPoint['source'], second: number): TrailPoint => ({
  source,
  lat: 41 + second / 1000,
  lng: -8,
  recordedAtMs: second * 1000,
});

tap.test('each phone has a line of its own, and no line over a silence', async (t) => {
  const points = [
    point('driver', 0),
    point('person', 1),
    point('driver', 5),
    point('driver', 120),
    point('driver', 125),
  ];
  const { features } = trailFeatures(points);
  const lines = features.filter(({ geometry }) => geometry.type === 'LineString');
  t.same(
    lines.map(({ properties, geometry }) => [
      properties?.source,
      'coordinates' in geometry && geometry.coordinates.length,
    ]),
    [
      ['driver', 2],
      ['driver', 2],
    ],
  );
  const newest = features.filter(({ properties }) => properties?.isNewest);
  t.same(
    newest.map(({ properties }) => properties?.source),
    ['driver', 'person'],
  );
});

tap.test('the place of the press has a ring as wide as it may be off', async (t) => {
  t.same(pressFeatures(undefined).features, []);
  t.equal(pressFeatures({ lat: 41, lng: -8 }).features.length, 1);
  const [ring] = pressFeatures({ lat: 60, lng: 10, accuracyMeters: 1112 }).features;
  const [east, north] =
    ring?.geometry.type === 'Polygon' ? [ring.geometry.coordinates[0]?.[0], ring.geometry.coordinates[0]?.[12]] : [];
  t.ok(Math.abs((north?.[1] ?? 0) - 60.01) < 1e-4, 'a kilometre and a bit is a hundredth of a degree north');
  t.ok(Math.abs((east?.[0] ?? 0) - 10.02) < 1e-4, 'and twice that east, as far north');
});
