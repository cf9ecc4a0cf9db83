import { once } from 'node:events';
import type { Position } from '@hushryd/contracts/fix';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { Identity } from '@hushryd/platform/auth/claims';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { createTopicFollower } from '@hushryd/platform/topics/topic-follower';
import { test } from 'tap';
import { maxWaitingBytes, slowBytes } from './frame-writer.ts';
import { createStreamMetrics } from './stream-metrics.ts';
import { createTripStream, heartbeatEveryMs, stalledAfterMs } from './trip-stream.ts';

const identity: Identity = {
  userId: 'rita',
  role: 'rider',
  tokenId: 'token-1',
  issuedAtMs: 0,
  expiresAtMs: Number.POSITIVE_INFINITY,
  audience: 'user',
};
const access: TripAccess = { tripId: 'one', version: 2, state: 'active', driverId: 'dora', passengerIds: ['rita'] };
const topic = 'trip:one';
const at = (seq: number, fields: Partial<Position> = {}): Position => ({
  driverId: 'dora',
  tripId: 'one',
  state: 'on_trip',
  run: 1,
  seq,
  recordedAtMs: seq,
  lat: 41,
  lng: -8,
  ...fields,
});

async function setUp() {
  const telemetry = createTelemetry({ service: 'api', instanceId: 'test' });
  const clock = { nowMs: 0 };
  const head = { epoch: 'e1', offset: 2 };
  const stream = createTripStream({
    identity,
    access,
    isRevoked: () => false,
    createFollower: (handlers) =>
      createTopicFollower({
        topic,
        readHead: async () => head,
        recoverEvents: async () => ({ recovered: true, head, messages: [] }),
        onReadFailed: () => undefined,
        ...handlers,
      }),
    metrics: createStreamMetrics(telemetry),
    now: () => clock.nowMs,
  });
  const frames = (text: string) => [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json as string));
  stream.goLive(await stream.follower.start(undefined));
  return {
    stream,
    clock,
    frames,
    /** All that waits for the reader. */
    read: () => frames(String(stream.body.read() ?? '')),
    event: (offset: number, bytes: number) =>
      stream.follower.offer({ topic, epoch: 'e1', offset, event: { text: 'x'.repeat(bytes) } }),
    metric: async (name: string) => {
      const values = (await telemetry.registry.getMetricsAsJSON()).find((metric) => metric.name === name)?.values;
      return values?.map(({ labels, value }) => ({ ...labels, value }));
    },
  };
}

test('a position never goes back, comes twice or from another trip; a new state of the same fix is news', async (t) => {
  const { stream, read } = await setUp();
  stream.driver.onPosition(at(5));
  stream.driver.onPosition(at(4));
  stream.driver.onPosition(at(5));
  stream.driver.onPosition(at(6, { tripId: 'another' }));
  stream.driver.catchUp(at(5, { state: 'off' }));
  stream.driver.onPosition(at(5, { state: 'off' }));
  stream.driver.onPosition(at(1, { run: 2 }));

  const seen = read().flatMap(({ type, position }) => (type === 'position' ? [position] : []));
  t.match(seen, [{ seq: 5 }, { seq: 5, state: 'off' }, { run: 2, seq: 1 }]);
  t.equal(seen.length, 3);
});

test('a slow reader gets the newest position when it has room again, and is told of the jump', async (t) => {
  const { stream, read, event, metric } = await setUp();
  event(3, slowBytes);
  for (const seq of [1, 2, 3]) stream.driver.onPosition(at(seq));

  const seen = [...read(), ...read()].filter(({ type }) => type === 'position');
  t.match(seen, [{ position: { seq: 3 }, jump: true }]);
  t.equal(seen.length, 1);
  t.match(await metric('event_stream_conflated_total'), [{ value: 2 }]);
});

test('all that a log keeps goes to a reader that comes back, as it has room', async (t) => {
  const { frames, event, stream } = await setUp();
  for (let offset = 3; offset <= 302; offset += 1) event(offset, 400);
  t.ok(stream.body.readableLength < 2 * slowBytes);
  stream.drain(5);

  let text = '';
  for await (const chunk of stream.body) text += String(chunk);
  const seen = frames(text);
  t.same(
    seen.flatMap(({ type, offset }) => (type === 'event' ? [offset] : [])),
    Array.from({ length: 300 }, (_, index) => index + 3),
  );
  t.equal(seen.at(-1)?.type, 'draining', 'and what was said last comes last');
});

test('a reader that takes too little is cut, so that it comes back for what it missed', async (t) => {
  const { stream, event, metric } = await setUp();
  const closed = once(stream.body, 'close');
  event(3, slowBytes);
  event(4, maxWaitingBytes - 3 * slowBytes);
  t.equal(stream.body.destroyed, false);
  event(5, 2 * slowBytes);
  await closed;
  t.equal(stream.body.destroyed, true);
  t.match(await metric('event_streams_ended_total'), [{ reason: 'slow', value: 1 }]);
  t.doesNotThrow(() => event(6, 10));
});

test('a reader that takes nothing is cut after a while', async (t) => {
  const { stream, event, clock, metric } = await setUp();
  const closed = once(stream.body, 'close');
  event(3, slowBytes);
  stream.tick(clock.nowMs);
  stream.tick(clock.nowMs + stalledAfterMs - 1);
  t.equal(stream.body.destroyed, false);
  stream.tick(clock.nowMs + stalledAfterMs);
  await closed;
  t.match(await metric('event_streams_ended_total'), [{ reason: 'slow', value: 1 }]);
});

test('a reader that does not take the end is cut after a while', async (t) => {
  const { stream, event, clock, metric } = await setUp();
  const closed = once(stream.body, 'close');
  event(3, slowBytes);
  stream.drain(5);
  stream.tick(clock.nowMs);
  clock.nowMs += stalledAfterMs - 1;
  stream.tick(clock.nowMs);
  t.equal(stream.body.destroyed, false);
  clock.nowMs += 1;
  stream.tick(clock.nowMs);
  t.equal(stream.body.destroyed, true);
  await closed;
  t.match(await metric('event_streams_ended_total'), [{ reason: 'draining', value: 1 }]);
});

test('after a while of silence one beacon, and then only the heartbeat', async (t) => {
  const { stream, clock, read } = await setUp();
  stream.driver.onPosition(at(5));
  read();

  clock.nowMs += 2_000;
  stream.tick(clock.nowMs);
  const place = { epoch: 'e1', offset: 2 };
  t.same(read(), [{ type: 'beacon', topic, run: 1, seq: 5, state: 'on_trip', tripId: 'one', ...place }]);
  clock.nowMs += heartbeatEveryMs;
  stream.tick(clock.nowMs);
  stream.tick(clock.nowMs);
  t.equal(String(stream.body.read()), ':\n\n');
});

test('the beacon of a driver who is gone says so', async (t) => {
  const { stream, clock, read } = await setUp();
  stream.driver.onPosition(at(5));
  stream.driver.onPosition(undefined);
  read();

  clock.nowMs += 2_000;
  stream.tick(clock.nowMs);

  t.same(read(), [{ type: 'beacon', topic, gone: true, epoch: 'e1', offset: 2 }]);
});
