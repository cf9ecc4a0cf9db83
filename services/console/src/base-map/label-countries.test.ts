import tap from 'tap';
import { labelCountries } from './label-countries.ts';

const square = (west: number, south: number, side: number) => [
  [west, south],
  [west + side, south],
  [west + side, south + side],
  [west, south + side],
  [west, south],
];

tap.test('a country is named in the middle of its largest part', async (t) => {
  const { features } = labelCountries([
    {
      type: 'Feature',
      properties: { name: 'Islands' },
      geometry: { type: 'MultiPolygon', coordinates: [[square(50, 50, 1)], [square(0, 0, 4)]] },
    },
  ]);

  t.match(features, [{ geometry: { coordinates: [2, 2] }, properties: { name: 'Islands', size: 16 } }]);
});

tap.test('what has no area has no name', async (t) => {
  t.same(
    labelCountries([
      { type: 'Feature', properties: { name: 'Spot' }, geometry: { type: 'Point', coordinates: [1, 1] } },
    ]).features,
    [],
  );
});
