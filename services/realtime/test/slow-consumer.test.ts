import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { binarySubprotocol, jsonSubprotocol } from '@hushryd/contracts/realtime/limits';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import { encodePosition } from '@hushryd/tracking/feed/packed-positions';
import t, { type Test } from 'tap';
import type { Subprotocol } from '../src/connections/choose-subprotocol.ts';
import { startTestRealtime, type TestRealtime, type TestSocket, trip } from './start-realtime.ts';

// Room enough for what is published between two looks at the sockets, at the rate at which this test fills one.
const env = { SLOW_SOCKET_BYTES: '8192', MAX_SOCKET_BUFFER_BYTES: '2097152', MAX_FRAMES_PER_SECOND: '100000' };

/**
 * A driver who moves much: many positions a message of the feed, as the write script publishes them. Kernel buffers take some
 * megabytes before a socket that does not read holds anything back.
 */
function createFastDriver(node: TestRealtime) {
  const { redis, keys } = node;
  const partition = keys.driverPartition('driver-1');
  let seq = 0;

  return async (count: number): Promise<number> => {
    const records: Buffer[] = [];
    for (const last = seq + count; seq < last; ) {
      seq += 1;
      const fix = { run: 5, seq, recordedAtMs: Date.now(), lat: 41.15, lng: -8.61 };
      const value = Buffer.concat([Buffer.from([2]), encodePosition({ ...fix, tripId: 'trip-1' })]);
      const name = Buffer.from('driver-1');
      records.push(Buffer.concat([Buffer.from([1, name.length]), name, Buffer.from([value.length]), value]));
      if (seq === last) await redis.commands.hset(keys.positions(partition), 'driver-1', value);
    }
    const number = Buffer.alloc(8);
    number.writeDoubleLE(await redis.commands.incr(keys.positionFeedNumber(partition)));
    await redis.commands.spublish(keys.positionFeed(partition), Buffer.concat([number, ...records]));
    return seq;
  };
}

async function start(t: Parameters<typeof startTestRealtime>[0], protocol: Subprotocol = jsonSubprotocol) {
  const node = await startTestRealtime(t, { env });
  await node.putTrip(trip('trip-1'), 'trip.started');
  const sockets = [await node.connect('operator-1', 'operator', protocol), await node.connect('rider-1', 'rider')];
  const [slow, healthy] = sockets as [TestSocket, TestSocket];
  for (const socket of sockets) {
    socket.send({ type: 'sub', topic: 'trip:trip-1' });
    await socket.next('subscribed');
  }
  const drive = createFastDriver(node);
  const fill = async () => {
    slow.ws.pause();
    for (let last = 0; last < 200_000; ) {
      last = await drive(30);
      // Binary positions alone would take long to fill what the kernel holds.
      for (let sent = 0; sent < 100; sent += 1) slow.send({ type: 'sub', topic: 'nothing' });
      await healthy.next('position', ({ position }) => position.seq === last);
      if ((await node.metric('realtime_slow_sockets')) === 1) return;
    }
    throw new Error('the socket never filled');
  };
  return { node, slow, healthy, drive, fill };
}

t.test('a socket that reads too slowly is left behind, not the others, and catches up with a jump', async (t) => {
  await t.test('reading JSON', (t) => fallsBehind(t, jsonSubprotocol));
  await t.test('reading the binary lane', (t) => fallsBehind(t, binarySubprotocol));
});

async function fallsBehind(t: Test, protocol: Subprotocol): Promise<void> {
  const { node, slow, healthy, drive, fill } = await start(t, protocol);

  await fill();
  const last = await drive(500);
  await healthy.next('position', ({ position }) => position.seq === last);
  t.same(
    healthy.all('position').map(({ position }) => position.seq),
    Array.from({ length: last }, (_, index) => index + 1),
    'who reads gets everything',
  );
  t.ok((await node.metric('realtime_conflated_total', { class: 'location' })) >= 499);

  slow.ws.resume();
  const jump = await slow.next('position', (frame) => frame.jump === true);
  t.equal(jump.position.seq, last, 'the newest, at once');
  await waitFor(async () => (await node.metric('realtime_slow_sockets')) === 0, { withinMs: 5000, what: 'recovery' });
  const next = await drive(5);
  for (const socket of [slow, healthy]) await socket.next('position', ({ position }) => position.seq === next);

  const seen = slow.all('position').map(({ position }) => position.seq);
  t.same(
    seen,
    [...new Set(seen)].sort((a, b) => a - b),
    'never back, never twice',
  );
  t.equal(slow.all('position').filter((frame) => frame.jump).length, 1);
  t.equal(slow.binaryCount, protocol === binarySubprotocol ? seen.length : 0);
  t.equal(slow.ws.readyState, 1);

  const counts = await countsOf(node, 'location');
  t.equal(counts.produced, counts.handedOver + counts.conflated + counts.dropped, JSON.stringify(counts));
  t.equal(counts.handedOver, healthy.all('position').length + seen.length, 'what was handed over arrived');
}

async function countsOf(node: TestRealtime, deliveryClass: string) {
  const read = (name: string) => node.metric(`realtime_${name}_total`, { class: deliveryClass });
  return {
    produced: await read('produced'),
    handedOver: await read('handed_over'),
    conflated: await read('conflated'),
    dropped: await read('dropped'),
  };
}

t.test('a socket that cannot take an event is closed, so that it comes back and recovers', async (t) => {
  const { node, slow, healthy, fill } = await start(t);

  await fill();
  const isClosed = async () => (await node.metric('realtime_closed_total', { code: '4410' })) === 1;
  let version = 1;
  while (!(await isClosed()) && version < 500) {
    version += 1;
    await node.putTrip(trip('trip-1', { version }), 'trip.passengers_changed');
    await healthy.next('event', ({ offset }) => offset === version);
    // Answers fill it faster than events would.
    for (let sent = 0; sent < 1000; sent += 1) slow.send({ type: 'sub', topic: 'nothing' });
  }

  slow.ws.resume();
  const { code } = await slow.ended();
  t.equal(code, closeCodes.slowConsumer);
  const offsets = slow.all('event').map(({ offset }) => offset);
  t.ok(offsets.length > 0);
  t.same(
    offsets,
    offsets.map((_, index) => index + 2),
    'what it got has no hole',
  );
  t.equal(healthy.ws.readyState, 1);
  // What was said to a socket that is closed is in its buffer, or dropped and counted.
  for (const deliveryClass of ['location', 'event', 'reply'] as const) {
    const counts = await countsOf(node, deliveryClass);
    t.equal(counts.produced, counts.handedOver + counts.conflated + counts.dropped, JSON.stringify(counts));
  }
  t.ok((await countsOf(node, 'event')).dropped + (await countsOf(node, 'reply')).dropped > 0);
});

t.test('an alert goes ahead of what is held back for a slow socket', async (t) => {
  const { node, slow, healthy, drive, fill } = await start(t);
  const { redis, keys } = node;
  slow.send({ type: 'sub', id: 9, topic: 'admin:sos' });
  await slow.next('subscribed', ({ topic }) => topic === 'admin:sos');
  await fill();
  const last = await drive(50);
  await healthy.next('position', ({ position }) => position.seq === last);

  const drill = { name: 'sos.drill', alertId: 'alert-1', at: new Date().toISOString() };
  await createPublishEvent({ redis: redis.commands, keys })('admin:sos', drill);
  const produced = async () => (await countsOf(node, 'sos')).produced > 0;
  await waitFor(produced, { withinMs: 10_000, what: 'the alert on its way' });
  slow.ws.resume();

  const jump = await slow.next('position', (frame) => frame.jump === true);
  const alertAt = slow.frames.findIndex(({ type }) => type === 'event');
  t.ok(alertAt >= 0 && alertAt < slow.frames.indexOf(jump));
  const counts = await countsOf(node, 'sos');
  t.equal(counts.produced, counts.handedOver + counts.dropped, JSON.stringify(counts));
});
