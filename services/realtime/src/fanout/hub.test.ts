import type { Position } from '@hushryd/contracts/fix';
import { beaconAfterMs } from '@hushryd/contracts/realtime/limits';
import fc from 'fast-check';
import t from 'tap';
import { anyPosition, createHubNode } from '../../test/hub-node.ts';
import { beaconTurnMs } from './beacon-wheel.ts';
import { encodePosition } from './encode-frames.ts';

const seed = Date.now() % 2 ** 31;
const settings = { seed, numRuns: 1000 };
t.comment(`fast-check seed ${seed}`);

const placeOf = ({ run, seq }: { run: number; seq: number }) => run * 1000 + seq;
const isRising = (places: number[]) => places.every((place, index) => index === 0 || place > (places[index - 1] ?? 0));

t.test(
  'whatever comes in whatever order, a watcher’s positions never go back, and a trip’s room shows that trip',
  async () => {
    fc.assert(
      fc.property(fc.array(anyPosition, { maxLength: 40 }), fc.nat(40), (positions, joinAt) => {
        const { hub, join } = createHubNode();
        const everything = join('driver:driver-1');
        const one = join('trip:trip-1', 'trip-1');
        hub.goLive(everything.subscription);
        for (const [index, position] of positions.entries()) {
          if (index === joinAt) hub.goLive(one.subscription);
          hub.sink.onPosition(position);
        }
        if (positions.length <= joinAt) hub.goLive(one.subscription);

        // The same fix may come again with another trip: a trip ended. Otherwise each is above the one before.
        const all = everything.frames.map(({ position }) => position as Position);
        const places = all.map(placeOf);
        const never = places.every((place, index) => index === 0 || place >= (places[index - 1] ?? 0));
        const shown = one.frames.map(({ position }) => position as Position);
        const newest = Math.max(0, ...positions.map(placeOf));
        return (
          never &&
          (places.at(-1) ?? 0) === newest &&
          shown.every(({ tripId }) => tripId === 'trip-1') &&
          shown.every((position, index) => index === 0 || placeOf(position) >= placeOf(shown[index - 1] as Position))
        );
      }),
      settings,
    );
  },
);

t.test('a slow socket gets the newest, once, when it has drained; nothing is lost for good', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('position' as const) }),
    fc.record({ kind: fc.constantFrom('full' as const, 'empty' as const, 'gone' as const) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { hub, slowConsumers, join } = createHubNode();
      const { socket, frames, subscription } = join('driver:driver-1');
      hub.goLive(subscription);
      let seq = 0;
      let isGone = true;
      for (const { kind } of steps) {
        if (kind === 'position') {
          seq += 1;
          isGone = false;
          hub.sink.onPosition({ ...at(seq) });
        } else if (kind === 'gone') {
          hub.sink.onGone('driver-1');
          isGone = true;
        } else {
          socket.bufferedBytes = kind === 'full' ? 1001 : 0;
          slowConsumers.sweep();
          if (kind === 'empty') slowConsumers.drained(subscription.connection);
        }
      }
      socket.bufferedBytes = 0;
      slowConsumers.drained(subscription.connection);

      const last = frames.at(-1);
      const places = frames.flatMap(({ position }) => (position ? [placeOf(position)] : []));
      const knowsTheEnd = seq === 0 || (isGone ? last?.type === 'gone' : last?.position?.seq === seq);
      return isRising(places) && knowsTheEnd && slowConsumers.slowCount === 0;
    }),
    settings,
  );
});

const at = (seq: number): Position => ({
  driverId: 'driver-1',
  state: 'available',
  run: 1,
  seq,
  recordedAtMs: 1,
  lat: 1,
  lng: 2,
});

t.test('a beacon says what the room shows: which state of which fix, or that there is none', async (t) => {
  const { hub, join } = createHubNode();
  const everything = join('driver:driver-1');
  const one = join('trip:trip-1', 'trip-1');
  const two = join('trip:trip-2', 'trip-2');
  const all = [everything, one, two];
  for (const { subscription } of all) hub.goLive(subscription);
  const beacons = () => {
    for (const { frames } of all) frames.splice(0);
    for (let elapsedMs = 0; elapsedMs <= beaconAfterMs; elapsedMs += beaconTurnMs) hub.sendBeacons();
    return all.map(({ frames }) => frames.map(({ type, topic, ...said }) => said));
  };

  t.strictSame(beacons(), [[{ gone: true }], [{ gone: true }], [{ gone: true }]], 'whoever comes back from elsewhere');

  hub.sink.onPosition({ ...at(5), state: 'on_trip', tripId: 'trip-1' });
  const onTrip = { run: 1, seq: 5, state: 'on_trip', tripId: 'trip-1' };
  t.strictSame(beacons().slice(0, 2), [[onTrip], [onTrip]]);

  hub.sink.onGone('driver-1');
  t.strictSame(beacons().slice(0, 2), [[{ gone: true }], [{ gone: true }]]);

  hub.sink.onPosition({ ...at(6), state: 'off' });
  t.strictSame(beacons(), [[{ run: 1, seq: 6, state: 'off' }], [], []], 'where he goes without the trip');
  hub.sink.onGone('driver-1');
  t.strictSame(beacons(), [[{ gone: true }], [], []]);
});

t.test('a read that comes late changes nothing', async (t) => {
  const { hub, join, setStored } = createHubNode();
  const { frames, subscription } = join('driver:driver-1');
  hub.sink.onPosition(at(5));
  hub.sink.onPosition({ ...at(5), state: 'off' });
  setStored(at(5));
  await hub.catchUp('driver-1');
  setStored(at(4));
  await hub.catchUp('driver-1');

  hub.goLive(subscription);

  t.match(frames, [{ position: { seq: 5, state: 'off' } }]);
  t.equal(frames.length, 1);
});

t.test('a position written by hand is what JSON.stringify writes', async () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -180, max: 180 });
  const optional = fc.option(number, { nil: undefined });
  fc.assert(
    fc.property(anyPosition, number, number, optional, optional, (position, lat, lng, speedMps, headingDegrees) => {
      const full = { ...position, lat, lng, speedMps, headingDegrees };
      const expected = JSON.parse(JSON.stringify(full)) as unknown;
      const got = JSON.parse(encodePosition(full as Position)) as unknown;
      return JSON.stringify(sorted(got)) === JSON.stringify(sorted(expected));
    }),
    settings,
  );
});

const sorted = (value: unknown) => Object.entries(value as object).sort(([a], [b]) => a.localeCompare(b));
