import type { Position } from '@hushryd/contracts/fix';
import tap from 'tap';
import { type MarkColour, markColours } from '../../base-map/palette.ts';
import { standAt } from '../vehicles/glide.ts';
import { pixelsPerWorld, toWorld } from '../vehicles/mercator.ts';
import type { Vehicle } from '../vehicles/vehicle-store.ts';
import { drawFleet, type FleetScene } from './fleet-scene.ts';
import { createMarkBuffer, floatsPerMark, type MarkShape, markShapes } from './mark-buffer.ts';
import { pickVehicle } from './pick-vehicle.ts';

const serverNowMs = 1_700_000_000_000;
const vehicle = (driverId: string, more: Partial<Position> = {}): Vehicle => {
  const position: Position = {
    driverId,
    state: 'on_trip',
    run: 1,
    seq: 1,
    recordedAtMs: serverNowMs - 1000,
    lat: 41.15,
    lng: -8.61,
    headingDegrees: 90,
    ...more,
  };
  return { position, glide: standAt(toWorld(position.lat, position.lng), position.headingDegrees, 0) };
};
const around = (lat: number, lng: number) => {
  const { x, y } = toWorld(lat, lng);
  return { west: x - 1e-4, east: x + 1e-4, north: y - 1e-4, south: y + 1e-4, zoom: 13 };
};
const draw = (scene: Partial<FleetScene>) => {
  const marks = createMarkBuffer(100);
  drawFleet(
    {
      vehicles: [],
      view: around(41.15, -8.61),
      nowMs: 0,
      serverNowMs,
      selectedDriverId: undefined,
      hoveredDriverId: undefined,
      ghost: undefined,
      ...scene,
    },
    marks,
  );
  const shapes = Object.keys(markShapes) as MarkShape[];
  return Array.from({ length: marks.count }, (_, index) => {
    const at = (offset: number) => marks.floats[index * floatsPerMark + offset] ?? Number.NaN;
    return { shape: shapes[at(4)], colour: markColours[at(5)], opacity: at(6), radius: at(2) };
  });
};

tap.test('what a vehicle does and how old its fix is decide its shape, colour only repeats it', async (t) => {
  const table: [Partial<Position>, MarkShape, MarkColour][] = [
    [{ state: 'on_trip' }, 'arrow', 'onTrip'],
    [{ state: 'available' }, 'arrowHollow', 'free'],
    [{ state: 'off' }, 'dotHollow', 'off'],
    [{ state: 'on_trip', recordedAtMs: serverNowMs - 61_000 }, 'squareHollow', 'silent'],
  ];
  for (const [more, shape, colour] of table) t.match(draw({ vehicles: [vehicle('a', more)] }), [{ shape, colour }]);

  const { headingDegrees: _, ...withoutHeading } = vehicle('a').position;
  const still = { position: withoutHeading, glide: standAt(toWorld(41.15, -8.61), undefined, 0) };
  t.match(draw({ vehicles: [still] }), [{ shape: 'dot' }]);
});

tap.test('a fix older than 15 s pales', async (t) => {
  const [fresh, pale] = draw({ vehicles: [vehicle('a'), vehicle('b', { recordedAtMs: serverNowMs - 20_000 })] });

  t.equal(fresh?.opacity, 1);
  t.ok((pale?.opacity ?? 1) < 0.75);
});

tap.test('what is out of view is not drawn', async (t) => {
  t.same(draw({ vehicles: [vehicle('a', { lat: 42 })] }), []);
});

tap.test('the selected vehicle is on top, with its ring and its accuracy', async (t) => {
  const vehicles = [vehicle('a', { accuracyMeters: 400 }), vehicle('b')];

  const shapes = draw({ vehicles, selectedDriverId: 'a' }).map(({ shape }) => shape);

  t.same(shapes, ['arrow', 'disc', 'arrow', 'ring']);
});

tap.test('while the past is replayed the present steps back', async (t) => {
  const ghost = { ...toWorld(41.15, -8.61), headingDegrees: 0, isInGap: false };

  const [live, past] = draw({ vehicles: [vehicle('a')], ghost });

  t.ok((live?.opacity ?? 1) < 0.3);
  t.match(past, { shape: 'arrow', colour: 'replay', opacity: 1 });
});

tap.test('the nearest vehicle within reach is picked', async (t) => {
  const vehicles = [vehicle('a'), vehicle('b', { lng: -8.6101 })];
  const at = toWorld(41.15, -8.61009);
  const far = { x: at.x + 15 / pixelsPerWorld(14), y: at.y };

  t.equal(pickVehicle({ vehicles, at, zoom: 14, nowMs: 0 })?.position.driverId, 'b');
  t.equal(pickVehicle({ vehicles: [vehicles[1] as Vehicle], at: far, zoom: 14, nowMs: 0 }), undefined);
});
