import type { Position } from '@hushryd/contracts/fix';
import { encodePositionFrame } from '@hushryd/contracts/realtime/binary/position-frame';
import { binarySubprotocol, jsonSubprotocol } from '@hushryd/contracts/realtime/limits';
import t from 'tap';
import type { ConnectionOptions } from '../src/connection/connection-options.ts';
import { createDriverClient } from '../src/driver-client.ts';
import { createRiderClient } from '../src/rider-client.ts';
import { createFakeApi } from './support/fake-api.ts';
import { createFakeSockets } from './support/fake-socket.ts';
import { createManualRuntime } from './support/manual-runtime.ts';

function createWorld() {
  const runtime = createManualRuntime();
  const sockets = createFakeSockets(runtime.now);
  const options: ConnectionOptions = {
    realtimeUrl: 'ws://realtime.example',
    apiUrl: 'http://api.example',
    getToken: () => 'token',
    createSocket: sockets.createSocket,
    fetch: createFakeApi().fetch,
    ...runtime,
  };
  return { runtime, sockets, options };
}

/** A driver who is connected and has sent two readings in one go. */
async function drive({ runtime, sockets, options }: ReturnType<typeof createWorld>) {
  const client = createDriverClient(options);
  void client.connect();
  await runtime.settle();
  sockets.last.ready();
  await runtime.settle();
  sockets.last.say({ type: 'welcome', id: 1, run: 1_700_000_000_000, durableSeq: 0, position: null });
  client.addFix({ recordedAtMs: 1_700_000_000_000.4, lat: 41.1496123, lng: -8.611, speedMps: 8.4 });
  client.addFix({ recordedAtMs: 1_700_000_001_000, lat: 41.1496124, lng: -8.611 });
  await runtime.settle();
  return client;
}

t.test('a driver who asks for the binary lane sends his fixes in it, and hears of them as ever', async (t) => {
  const world = createWorld();
  const client = await drive({ ...world, options: { ...world.options, encoding: 'binary' } });
  const { last: socket } = world.sockets;

  t.same(socket.protocols, [binarySubprotocol, jsonSubprotocol, 'ticket.ticket-1']);
  t.equal(socket.binaryType, 'arraybuffer');
  t.match(
    socket.texts.map((text) => JSON.parse(text) as object),
    [{ type: 'hello' }],
    'all else is JSON',
  );
  t.same(socket.sentOf('loc'), [
    {
      type: 'loc',
      id: 2,
      run: 1_700_000_000_000,
      from: 1,
      fixes: [
        { seq: 1, recordedAtMs: 1_700_000_000_000, lat: 41.1496123, lng: -8.611, speedMps: 8.4 },
        { seq: 2, recordedAtMs: 1_700_000_001_000, lat: 41.1496124, lng: -8.611 },
      ],
    },
  ]);

  socket.say({ type: 'recv', id: 2, run: 1_700_000_000_000, seq: 2, drops: [{ seq: 1, reason: 'too_old' }] });
  socket.say({ type: 'durable', run: 1_700_000_000_000, seq: 2 });
  t.equal(client.pendingCount, 0);
});

t.test('a server that does not know the binary lane is spoken to in JSON', async (t) => {
  const world = createWorld();
  world.sockets.lanes = [jsonSubprotocol];
  await drive({ ...world, options: { ...world.options, encoding: 'binary' } });

  t.match(JSON.parse(world.sockets.last.texts[1] ?? ''), { type: 'loc', fixes: [{ seq: 1 }, { seq: 2 }] });
});

t.test('whoever does not ask for it is not offered to', async (t) => {
  const world = createWorld();
  await drive(world);

  t.same(world.sockets.last.protocols, [jsonSubprotocol, 'ticket.ticket-1']);
  t.equal(world.sockets.last.binaryType, undefined);
  t.match(JSON.parse(world.sockets.last.texts[1] ?? ''), { type: 'loc' });
});

t.test('frames that the server cannot read are given up, so that they do not block the queue', async (t) => {
  const world = createWorld();
  const client = await drive({ ...world, options: { ...world.options, encoding: 'binary' } });
  const drops: unknown[] = [];
  client.on('drop', (drop) => drops.push(drop));

  const { last: socket } = world.sockets;
  socket.say({ type: 'error', id: 2, code: 'frame_malformed', message: 'cut off', retryable: false });

  t.match(drops, [
    { seq: 1, reason: 'refused' },
    { seq: 2, reason: 'refused' },
  ]);
  t.equal(client.pendingCount, 0);
});

t.test('a watcher hears binary positions as the same objects, and passes over what he knows nothing of', async (t) => {
  const { runtime, sockets, options } = createWorld();
  const client = createRiderClient({ ...options, encoding: 'binary' });
  const heard: { position: Position; isJump: boolean }[] = [];
  const errors: Error[] = [];
  client.on('error', (error) => errors.push(error));
  client.watchTrip('trip-1', { onPosition: (position, { isJump }) => heard.push({ position, isJump }) });
  void client.connect();
  await runtime.settle();
  sockets.last.ready();
  await runtime.settle();
  const { last: socket } = sockets;
  const topic = 'trip:trip-1';
  socket.say({ type: 'subscribed', id: 1, topic, epoch: 'e', offset: 1, room: 300, driverId: 'driver-1' });
  const position: Position = {
    driverId: 'driver-1',
    tripId: 'trip-1',
    state: 'on_trip',
    run: 1_700_000_000_000,
    seq: 7,
    recordedAtMs: 1_700_000_007_000,
    lat: 41.1496123,
    lng: -8.611,
    speedMps: 8.4,
    batteryPercent: 80,
  };
  const inRoom = { room: 300, namesTrip: false };

  socket.sayBytes(encodePositionFrame({ ...inRoom, position }));
  socket.sayBytes(encodePositionFrame({ ...inRoom, position: { ...position, seq: 9 }, isJump: true }));
  socket.sayBytes(encodePositionFrame({ ...inRoom, room: 301, position: { ...position, seq: 10 } }));
  socket.sayBytes(Uint8Array.from([0x13, 1, 2, 3]));
  t.same(errors, []);
  socket.sayBytes(encodePositionFrame({ ...inRoom, position: { ...position, seq: 11 } }).subarray(0, 12));
  // A node that knows more says so in JSON too.
  socket.say({ type: 'position', topic, position: { ...position, seq: 12 } });

  t.same(heard, [
    { position, isJump: false },
    { position: { ...position, seq: 9 }, isJump: true },
    { position: { ...position, seq: 12 }, isJump: false },
  ]);
  t.match(errors, [{ code: 'frame_unreadable' }]);
});
