import tap from 'tap';
import { unwrapWorld } from './unwrap-world.ts';

tap.test('an island on the 180th meridian stays in one piece', async (t) => {
  const island = [
    [179, -16],
    [-179, -16],
    [-179, -17],
    [179, -17],
    [179, -16],
  ];

  t.match(unwrapWorld({ type: 'MultiPolygon', coordinates: [[island]] }), {
    coordinates: [
      [
        [
          [179, -16],
          [181, -16],
          [181, -17],
          [179, -17],
          [179, -16],
        ],
      ],
    ],
  });
});

tap.test('a coast around the pole is closed along the bottom of the map', async (t) => {
  const coast = [-180, -90, 0, 90, 180].map((lng) => [lng, -70]);

  t.match(unwrapWorld({ type: 'Polygon', coordinates: [coast] }), {
    coordinates: [
      [
        [-180, -70],
        [-90, -70],
        [0, -70],
        [90, -70],
        [180, -70],
        [180, -85.05],
        [-180, -85.05],
        [-180, -70],
      ],
    ],
  });
});

tap.test('what is far from the meridian is left as it is', async (t) => {
  const coordinates = [
    [
      [0, 0],
      [10, 0],
      [10, 10],
      [0, 0],
    ],
  ];
  t.same(unwrapWorld({ type: 'Polygon', coordinates }), { type: 'Polygon', coordinates });
});
