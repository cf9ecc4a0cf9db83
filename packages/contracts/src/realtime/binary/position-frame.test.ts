import fc from 'fast-check';
import t from 'tap';
import { driverStates, type Position } from '../../fix.ts';
import { decodePositionFrame, encodePositionFrame } from './position-frame.ts';
import { createRoomNumbers } from './room-numbers.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const settings = { seed, numRuns: 2000 };
t.comment(`fast-check seed ${seed}; SEED=${seed} repeats it`);

const anyId = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const units = (max: number, unitsPerOne: number) =>
  fc.option(
    fc.nat(max).map((value) => value / unitsPerOne),
    { nil: undefined },
  );

/** Any position as it is stored. */
const anyPosition = fc
  .record({
    tripId: fc.option(anyId, { nil: undefined }),
    state: fc.constantFrom(...driverStates),
    run: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    seq: fc.integer({ min: 1, max: 0xffffffff }),
    recordedAtMs: fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
    lat: fc.integer({ min: -900_000_000, max: 900_000_000 }).map((value) => value / 1e7),
    lng: fc.integer({ min: -1_800_000_000, max: 1_800_000_000 }).map((value) => value / 1e7),
    accuracyMeters: units(65_534, 10),
    speedMps: units(65_534, 100),
    headingDegrees: units(36_000, 100),
    batteryPercent: units(100, 1),
  })
  .map((position) => withoutAbsent({ driverId: 'driver-1', ...position }) as Position);

const withoutAbsent = (value: object) =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));

const textOf = (value: object): string => JSON.stringify(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)));

/** A client of the room hears what was said in it. */
const isHeard = (encode: typeof encodePositionFrame) =>
  fc.property(anyPosition, fc.boolean(), fc.maxSafeNat(), (position, isJump, number) => {
    const room = Math.max(1, number);
    const { tripId } = position;
    const inTrip = createRoomNumbers();
    inTrip.note({ type: 'subscribed', topic: `trip:${tripId}`, room, driverId: 'driver-1' });
    const inDriver = createRoomNumbers();
    inDriver.note({ type: 'subscribed', topic: 'driver:driver-1', room, driverId: 'driver-1' });

    const named = inDriver.read(encode({ room, position, namesTrip: true, isJump }));
    const short = encode({ room, position, namesTrip: false, isJump });
    const unnamed = tripId === undefined ? named : inTrip.read(short);

    const isSaid = (frame: typeof named) =>
      frame !== undefined && textOf(frame.position) === textOf(position) && frame.jump === (isJump ? true : undefined);
    return isSaid(named) && isSaid(unnamed) && named?.topic === 'driver:driver-1' && short.length <= 64;
  });

t.test('a room hears the position that was said, in at most 64 bytes', async () => {
  fc.assert(isHeard(encodePositionFrame), settings);
});

t.test('control: a codec that gets one field wrong is found out', async (t) => {
  const changed =
    (change: (position: Position) => Position): typeof encodePositionFrame =>
    (input) =>
      encodePositionFrame({ ...input, position: change(input.position) });
  const broken: [name: string, encode: typeof encodePositionFrame][] = [
    ['state', changed((position) => ({ ...position, state: 'off' }))],
    ['run', changed((position) => ({ ...position, run: 1 }))],
    ['seq', changed((position) => ({ ...position, seq: position.seq + 1 }))],
    ['time', changed((position) => ({ ...position, recordedAtMs: Math.floor(position.recordedAtMs / 1000) * 1000 }))],
    ['lat', changed((position) => ({ ...position, lat: Math.abs(position.lat) }))],
    ['lng', changed((position) => ({ ...position, lng: position.lat }))],
    ['speed', changed(({ speedMps: _, ...position }) => position)],
    ['heading', changed(({ headingDegrees: _, ...position }) => position)],
    ['accuracy', changed(({ accuracyMeters: _, ...position }) => position)],
    ['battery', changed(({ batteryPercent: _, ...position }) => position)],
    ['trip', (input) => encodePositionFrame({ ...input, namesTrip: false })],
    ['jump', (input) => encodePositionFrame({ ...input, isJump: false })],
    ['room', (input) => encodePositionFrame({ ...input, room: input.room - 1 })],
  ];
  for (const [name, encode] of broken) t.ok(fc.check(isHeard(encode), settings).failed, name);
});

t.test('bytes that are no frame are a RangeError, other frames and rooms are passed over', async (t) => {
  const judge = (bytes: Uint8Array): 'read' | 'refused' | 'fallen over' => {
    try {
      decodePositionFrame(bytes);
      return 'read';
    } catch (error) {
      return error instanceof RangeError ? 'refused' : 'fallen over';
    }
  };
  const isJudged = (bytes: Uint8Array) => judge(bytes) !== 'fallen over';
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), isJudged), settings);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (rest) => isJudged(Uint8Array.from([0x12, ...rest]))),
    settings,
  );
  fc.assert(
    fc.property(anyPosition, fc.nat(), (position, cutAt) => {
      const whole = encodePositionFrame({ room: 7, position, namesTrip: true });
      return judge(whole.subarray(0, 1 + (cutAt % (whole.length - 1)))) === 'refused';
    }),
    settings,
  );

  const position: Position = { driverId: 'd', state: 'off', run: 1, seq: 1, recordedAtMs: 1, lat: 1, lng: 2 };
  const rooms = createRoomNumbers();
  const frame = encodePositionFrame({ room: 3, position, namesTrip: true });
  t.equal(rooms.read(frame), undefined, 'a room that nobody told us of');
  t.equal(rooms.read(Uint8Array.from([0x13, 1, 2])), undefined, 'a frame of a newer server');

  rooms.note({ type: 'subscribed', topic: 'driver:d', room: 3, driverId: 'd' });
  t.match(rooms.read(frame), { topic: 'driver:d', position });
  rooms.note({ type: 'subscribed', topic: 'driver:d', recovered: false });
  t.match(rooms.read(frame), { topic: 'driver:d' }, 'said again without a number, it stays');
  rooms.note({ type: 'subscribed', topic: 'driver:d', room: 4, driverId: 'd' });
  t.equal(rooms.read(frame), undefined, 'the number of before is gone');
  rooms.note({ type: 'unsubscribed', topic: 'driver:d' });
  t.equal(rooms.read(encodePositionFrame({ room: 4, position, namesTrip: true })), undefined);
});
