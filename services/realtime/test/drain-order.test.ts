import type { Position } from '@hushryd/contracts/fix';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testRedis } from '@hushryd/platform/testing/engines';
import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import { mayWatchTrip } from '@hushryd/tracking/trip-access/access-rules';
import t from 'tap';
import type { Connection } from '../src/connections/connection.ts';
import type { EventClass } from '../src/fanout/event-stream.ts';
import { createFanout } from '../src/fanout/fanout.ts';
import { createHub } from '../src/fanout/hub.ts';
import { createMetrics } from '../src/metrics.ts';

const slowBytes = 1000;
const maxBufferBytes = 2000;
const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
const settings = (await testRedis(t)).settings({ partitions: 2 });
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());
const keys = createKeys(settings);
const publishEvent = createPublishEvent({ redis: connections.commands, keys });
const at = new Date(0).toISOString();

/** A full socket for which an ordinary event, an alert and a position wait, in this order. */
async function createFullSocket() {
  const frames: ServerFrame[] = [];
  const socket = {
    isOpen: true,
    isBinary: false,
    bufferedBytes: maxBufferBytes + 1,
    limits: { maxBufferBytes },
    send(frame: string) {
      frames.push(JSON.parse(frame) as ServerFrame);
      return true;
    },
    hear: () => undefined,
    unhear: () => undefined,
  };
  const connection = socket as unknown as Connection;
  const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
  const fanout = createFanout({
    connections,
    keys,
    follower: { follow: () => undefined },
    reader: { read: async () => null, readMany: async () => new Map() },
    publish: () => undefined,
    resolveAccess: async () => [],
    resolveSosAccess: async () => [],
    slowBytes,
    guards: { createHub, mayWatchTrip },
    metrics: createMetrics(telemetry),
    telemetry,
    log,
  });

  async function join(topic: string, eventClass: EventClass, event: Parameters<typeof publishEvent>[1]): Promise<void> {
    const { epoch, offset } = await publishEvent(topic, event);
    const listener = fanout.streams.enter({ connection, topic, eventClass });
    const caughtUp = await fanout.streams.catchUp(listener, { epoch, offset: offset - 1 });
    fanout.streams.goLive(listener, caughtUp);
  }

  const room = { topic: 'driver:driver-1', driverId: 'driver-1' };
  const subscription = fanout.rooms.enter({ connection, place: { leave: () => undefined }, ...room });
  fanout.hub.goLive(subscription);
  const fix = { driverId: 'driver-1', state: 'available', recordedAtMs: 1, lat: 1, lng: 2 } as const;
  fanout.hub.sink.onPosition({ ...fix, run: 1, seq: 1 } satisfies Position);
  fanout.slowConsumers.sweep();
  fanout.hub.sink.onPosition({ ...fix, run: 1, seq: 2 } satisfies Position);
  await join('user:anna', 'event', { name: 'notice', noticeId: 'notice-1', at, title: 'a word' });
  await join('admin:sos', 'sos', { name: 'sos.drill', alertId: 'alert-1', at });

  return {
    /** @returns what the socket is given once it holds no more than this */
    drain(bufferedBytes: number) {
      socket.bufferedBytes = bufferedBytes;
      fanout.drained(connection);
      return frames.splice(0).map((frame) => (frame.type === 'event' ? frame.event.name : frame.type));
    },
  };
}

t.test('a socket that drains is given alerts first, then other events, then positions', async (t) => {
  const { drain } = await createFullSocket();

  t.strictSame(drain(maxBufferBytes + 1), []);
  t.strictSame(drain(0), ['sos.drill', 'notice', 'position']);
});

t.test('alerts do not wait until the socket holds little', async (t) => {
  const { drain } = await createFullSocket();

  t.strictSame(drain(maxBufferBytes), ['sos.drill']);
  t.strictSame(drain(slowBytes), ['notice']);
  t.strictSame(drain(0), ['position']);
});
