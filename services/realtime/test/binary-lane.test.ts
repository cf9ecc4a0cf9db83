import type { ErrorCode } from '@hushryd/contracts/errors';
import type { DropReason, Fix } from '@hushryd/contracts/fix';
import { encodeLocFrame } from '@hushryd/contracts/realtime/binary/loc-frame';
import { encodePositionFrame } from '@hushryd/contracts/realtime/binary/position-frame';
import { binarySubprotocol, jsonSubprotocol, ticketSubprotocolPrefix } from '@hushryd/contracts/realtime/limits';
import { mayWatchTrip } from '@hushryd/tracking/trip-access/access-rules';
import fc from 'fast-check';
import t from 'tap';
import type { Subprotocol } from '../src/connections/choose-subprotocol.ts';
import { createHub } from '../src/fanout/hub.ts';
import { fix, openSocket, startTestRealtime, type TestRealtime, type TestSocket, trip } from './start-realtime.ts';

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
t.comment(`fast-check seed ${seed}; SEED=${seed} repeats it`);

const origin = 'https://rider.example';
const subscribe = async (socket: TestSocket, topic: string) => {
  socket.send({ type: 'sub', id: 1, topic });
  return socket.next('subscribed', (frame) => frame.topic === topic);
};
/** Everything sent to the socket before this has arrived when it resolves. */
async function settled(socket: TestSocket): Promise<void> {
  socket.send({ type: 'ping', id: 4711 });
  await socket.next('pong', ({ id }) => id === 4711);
}

t.test('the first lane that is offered and known is answered', async (t) => {
  const node = await startTestRealtime(t, { env: { ALLOWED_ORIGINS: origin, MAX_SOCKETS_PER_USER: '50' } });
  const answerTo = async (protocols: string[], options: { origin?: string; token?: string }) => {
    const socket = await openSocket(node.url, { protocols, ...options });
    await socket.next('ready');
    const { protocol } = socket.ws;
    socket.ws.terminate();
    return protocol;
  };
  const token = node.issuer.token('rider-1', 'rider');

  t.equal(await answerTo([binarySubprotocol], { token }), binarySubprotocol);
  t.equal(await answerTo([binarySubprotocol, jsonSubprotocol], { token }), binarySubprotocol);
  t.equal(await answerTo([jsonSubprotocol, binarySubprotocol], { token }), jsonSubprotocol);
  t.equal(await answerTo(['hushryd.v9', binarySubprotocol], { token }), binarySubprotocol);
  // A socket beside it, or the first ticket socket of an idle node may be cut at its upgrade (connections/upgrade.ts says why).
  await node.connect('rider-2', 'rider');
  const ticket = async () => ticketSubprotocolPrefix + (await node.issueTicket('rider-1', 'rider', origin));
  t.equal(await answerTo([binarySubprotocol, await ticket()], { origin }), binarySubprotocol);
  t.equal(await answerTo([binarySubprotocol, jsonSubprotocol, await ticket()], { origin }), binarySubprotocol);
});

t.test('binary fixes are received, dropped by name and seen like any others', async (t) => {
  const node = await startTestRealtime(t);
  await node.putTrip(trip('trip-1'), 'trip.started');
  const { socket, run } = await node.connectDriver('driver-1', binarySubprotocol);
  const rider = await node.connect('rider-1', 'rider');
  await subscribe(rider, 'trip:trip-1');
  const given = { accuracyMeters: 4.5, speedMps: 12.34, headingDegrees: 271.25, batteryPercent: 80 };

  socket.send(encodeLocFrame({ id: 7, run, from: 1, tripId: 'trip-1', fixes: [fix(1, given), fix(2, given)] }));

  t.match(await socket.next('recv'), { id: 7, run, seq: 2, drops: undefined });
  t.match(await rider.next('position', ({ position }) => position.seq === 2), {
    position: { driverId: 'driver-1', tripId: 'trip-1', state: 'on_trip', run, lat: 41.150002, lng: -8.61, ...given },
  });
  const dropped: [name: string, changes: Record<string, unknown>, reason: DropReason][] = [
    ['latitude 91', { lat: 91 }, 'out_of_range'],
    ['a latitude beyond all measure', { lat: -1e300 }, 'out_of_range'],
    ['a speed of −1', { speedMps: -1 }, 'out_of_range'],
    ['a battery of 101 %', { batteryPercent: 101 }, 'out_of_range'],
    ['the future', { recordedAtMs: Date.now() + 600_000 }, 'future'],
    ['1970', { recordedAtMs: 0 }, 'too_old'],
    ['before 1970', { recordedAtMs: -1 }, 'out_of_range'],
    ['an accuracy of 5 km', { accuracyMeters: 5000 }, 'inaccurate'],
  ];
  for (const [index, [name, changes, reason]] of dropped.entries()) {
    await t.test(name, async (t) => {
      const seq = index + 3;
      socket.send(encodeLocFrame({ id: seq, run, from: 1, fixes: [fix(seq, changes) as Fix] }));
      t.match(await socket.next('recv'), { id: seq, run, seq, drops: [{ seq, reason }] });
    });
  }
});

t.test('bytes that are no frame get a named error, and nothing is stored', async (t) => {
  const node = await startTestRealtime(t, {
    env: { MAX_BAD_FRAMES: '100000', MAX_FRAMES_PER_SECOND: '100000', MAX_SOCKETS_PER_USER: '50' },
  });
  const { socket, run } = await node.connectDriver('driver-1', binarySubprotocol);
  const rider = await node.connect('rider-1', 'rider', binarySubprotocol);
  const good = encodeLocFrame({ id: 3, run, from: 1, fixes: [fix(1) as Fix] });
  const changed = (at: number, byte: number) => Uint8Array.from(good, (old, index) => (index === at ? byte : old));
  /** Ends of a frame whose first four bytes are kind, flags (an id), id 3, and a run of one byte. */
  const bytes = (...rest: number[]) => Uint8Array.from([0x11, 1, 3, ...rest]);
  const numbers = (count: number) => Array.from({ length: count }, () => 0);
  const overflow = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

  const named: [name: string, from: TestSocket, frame: Uint8Array, code: ErrorCode, id: number | undefined][] = [
    ['no byte at all', socket, Uint8Array.from([]), 'frame_malformed', undefined],
    ['JSON as bytes', socket, Buffer.from('{"type":"ping"}'), 'frame_malformed', undefined],
    ['a version that is not there yet', socket, changed(0, 0x21), 'frame_malformed', undefined],
    ['a position, which only servers send', socket, changed(0, 0x12), 'frame_malformed', undefined],
    ['unknown flags', socket, changed(1, 0x81), 'frame_malformed', 3],
    ['a frame cut off', socket, good.subarray(0, good.length - 1), 'frame_malformed', 3],
    ['a byte too many', socket, Uint8Array.from([...good, 0]), 'frame_malformed', 3],
    ['a number beyond 2⁵³', socket, bytes(...overflow, 1, 1, ...numbers(4)), 'frame_malformed', 3],
    ['more fixes said than there are', socket, bytes(5, 1, 100, ...numbers(4)), 'frame_malformed', 3],
    ['unknown flags of a fix', socket, bytes(5, 1, 1, 0x20, 0, 0, 0), 'frame_malformed', 3],
    ['no fixes', socket, bytes(5, 1, 0), 'frame_invalid', 3],
    ['101 fixes', socket, bytes(5, 1, 101, ...numbers(404)), 'frame_invalid', 3],
    ['two thousand million fixes', socket, bytes(5, 1, 0xff, 0xff, 0xff, 0xff, 7), 'frame_invalid', 3],
    ['run 0', socket, bytes(0, 1, 1, ...numbers(4)), 'frame_invalid', 3],
    ['from 0', socket, bytes(5, 0, 1, ...numbers(4)), 'frame_invalid', 3],
    ['a seq above 32 bit', socket, bytes(5, 1, 1, 0x10, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0), 'frame_invalid', 3],
    ['an empty trip id', socket, Uint8Array.from([0x11, 3, 3, 5, 1, 0, 1, 0, 0, 0, 0]), 'frame_invalid', 3],
    ['a trip id with a space', socket, Uint8Array.from([0x11, 3, 3, 5, 1, 1, 32, 1, 0, 0, 0, 0]), 'frame_invalid', 3],
    ['a run of nobody', socket, bytes(5, 1, 1, ...numbers(4)), 'run_unknown', 3],
    ['fixes from a rider', rider, good, 'forbidden', 3],
  ];
  for (const [name, from, frame, code, id] of named) {
    await t.test(name, async (t) => {
      from.send(frame);
      t.match(await from.next('error'), { code, id });
      await settled(from);
    });
  }
  await t.test('on a socket that chose JSON', async (t) => {
    const json = await node.connectDriver('driver-2');
    json.socket.send(encodeLocFrame({ id: 3, run: json.run, from: 1, fixes: [fix(1) as Fix] }));
    t.match(await json.socket.next('error'), { code: 'frame_malformed', id: undefined });
    await settled(json.socket);
  });
  t.same(await node.stored(), { positions: 0, fixes: [] });

  await t.test('each of 2,000 random, cut and changed frames is answered once', async (t) => {
    const { socket } = await node.connectDriver('driver-3', binarySubprotocol);
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.nat(good.length).map((length) => good.subarray(0, length)),
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => changed(at, byte)),
    );
    const frames = fc.sample(anyBytes, { seed, numRuns: 2000 });
    for (const frame of frames) socket.send(frame);
    await settled(socket);

    const errors = socket.all('error');
    t.equal(errors.length + socket.all('recv').length, frames.length);
    const codes = new Set(errors.map(({ code }) => code));
    for (const code of codes) t.ok(['frame_malformed', 'frame_invalid', 'run_unknown'].includes(code), code);
  });
});

/** What a driver's phone does, in which lane, and whether the watchers leave and come back before it. */
const anyStep = fc.record({
  lane: fc.constantFrom<Subprotocol>(jsonSubprotocol, binarySubprotocol),
  count: fc.integer({ min: 1, max: 5 }),
  onTrip: fc.boolean(),
  speedMps: fc.option(
    fc.nat(4000).map((speed) => speed / 100),
    { nil: undefined },
  ),
  headingDegrees: fc.option(
    fc.nat(35_999).map((heading) => heading / 100),
    { nil: undefined },
  ),
  comesBack: fc.boolean(),
});
type Step = typeof anyStep extends fc.Arbitrary<infer Value> ? Value : never;

const lanes: readonly Subprotocol[] = [jsonSubprotocol, binarySubprotocol];
let caseNumber = 0;

/** A driver with a phone of each lane, a rider of each lane in the trip's room and an operator of each lane in the driver's. */
async function hearTheSame(node: TestRealtime, steps: readonly Step[]): Promise<boolean> {
  caseNumber += 1;
  const [driverId, riderId, tripId] = [`driver-${caseNumber}`, `rider-${caseNumber}`, `trip-${caseNumber}`];
  await node.putTrip(trip(tripId, { driverId, passengerIds: [riderId] }), 'trip.started');
  const phone = await node.connectDriver(driverId, jsonSubprotocol);
  const { run } = phone;
  const binaryPhone = await node.connect(driverId, 'driver', binarySubprotocol);
  binaryPhone.send({ type: 'hello', run, from: 1 });
  await binaryPhone.next('welcome');
  const watchers = await Promise.all(
    lanes.map(async (lane) => ({
      rider: await node.connect(riderId, 'rider', lane),
      operator: await node.connect('operator-1', 'operator', lane),
    })),
  );
  const joinAll = async () => {
    for (const { rider, operator } of watchers) {
      await subscribe(rider, `trip:${tripId}`);
      await subscribe(operator, `driver:${driverId}`);
    }
  };
  await joinAll();

  let seq = 0;
  for (const { lane, count, onTrip, speedMps, headingDegrees, comesBack } of steps) {
    if (comesBack) await joinAll();
    const motion = {
      ...(speedMps !== undefined && { speedMps }),
      ...(headingDegrees !== undefined && { headingDegrees }),
    };
    const fixes = Array.from({ length: count }, (_, index) => fix(seq + index + 1, motion) as Fix);
    seq += count;
    const frame = { id: seq, run, from: 1, ...(onTrip && { tripId }), fixes };
    const socket = lane === binarySubprotocol ? binaryPhone : phone.socket;
    socket.send(lane === binarySubprotocol ? encodeLocFrame(frame) : { type: 'loc', ...frame });
    await socket.next('recv', ({ id }) => id === frame.id);
    // Everybody has it before anybody comes back, or some would hear it twice.
    for (const { operator } of watchers) await operator.next('position', ({ position }) => position.seq === frame.id);
  }

  for (const { rider } of watchers) await settled(rider);
  const heard = watchers.map(({ rider, operator }) => [rider.all('position'), operator.all('position')]);
  const sockets = [phone.socket, binaryPhone, ...watchers.flatMap(({ rider, operator }) => [rider, operator])];
  for (const { ws } of sockets) ws.terminate();
  const inBinary = watchers.map(({ rider, operator }) => rider.binaryCount + operator.binaryCount);
  return textOf(heard[0]) === textOf(heard[1]) && inBinary[0] === 0 && inBinary[1] === heard[1]?.flat().length;
}

/** Frames as text, whatever the order of their fields. */
const textOf = (frames: unknown) =>
  JSON.stringify(frames, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a.localeCompare(b)))
      : value,
  );

const env = { MAX_SOCKETS_PER_USER: '500', MAX_FRAMES_PER_SECOND: '10000', MAX_ACCEPTS_PER_SECOND: '10000' };
const anyDrive = fc.array(anyStep, { minLength: 1, maxLength: 12 });

t.test('JSON and binary clients of one room hear the same, whichever lane the fixes came by', async (t) => {
  const node = await startTestRealtime(t, { env });

  await fc.assert(
    fc.asyncProperty(anyDrive, (steps) => hearTheSame(node, steps)),
    { seed, numRuns: 40 },
  );
  t.ok((await node.metric('realtime_handed_over_total', { class: 'location' })) > 0);
});

t.test('control: a node whose binary lane says something else is found out', async (t) => {
  const slower: typeof encodePositionFrame = ({ position, ...input }) => {
    const { speedMps, ...rest } = position;
    return encodePositionFrame({
      ...input,
      position: speedMps === undefined ? rest : { ...rest, speedMps: speedMps / 2 },
    });
  };
  const guards = {
    createHub: (options: Parameters<typeof createHub>[0]) => createHub({ ...options, encodeBinary: slower }),
    mayWatchTrip,
  };
  const node = await startTestRealtime(t, { env, guards });

  const found = await fc.check(
    fc.asyncProperty(anyDrive, (steps) => hearTheSame(node, steps)),
    { seed, numRuns: 40, endOnFailure: true },
  );
  t.ok(found.failed);
});
