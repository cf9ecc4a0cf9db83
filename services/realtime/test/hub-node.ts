import type { Position } from '@hushryd/contracts/fix';
import { encodePositionFrame } from '@hushryd/contracts/realtime/binary/position-frame';
import { createRoomNumbers } from '@hushryd/contracts/realtime/binary/room-numbers';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import fc from 'fast-check';
import type { Connection } from '../src/connections/connection.ts';
import { createHub } from '../src/fanout/hub.ts';
import { roomNumber } from '../src/fanout/room-listeners.ts';
import { createSlowConsumers } from '../src/fanout/slow-consumer.ts';
import type { Room, Subscription } from '../src/fanout/subscription.ts';
import { createMetrics } from '../src/metrics.ts';

/** A room of everything, and two of trips. */
export const tripIds = [undefined, 'trip-1', 'trip-2'] as const;
export const anyPosition = fc
  .record({
    tripId: fc.constantFrom(...tripIds),
    run: fc.integer({ min: 1, max: 3 }),
    seq: fc.integer({ min: 1, max: 12 }),
  })
  .map(({ tripId, run, seq }): Position => {
    const fix = { driverId: 'driver-1', state: 'on_trip', run, seq, recordedAtMs: 1, lat: 1, lng: 2 } as const;
    return tripId === undefined ? fix : { ...fix, tripId };
  });

/** A socket whose buffer the test sets, and that keeps what it is given, whatever its encoding. */
function createSocket(isBinary: boolean) {
  const frames: { type: string; topic: string; position?: Position; jump?: boolean }[] = [];
  const topics = new Set<string>();
  const rooms = createRoomNumbers();
  const socket = {
    isBinary,
    bufferedBytes: 0,
    send(frame: string | Uint8Array) {
      const read = typeof frame === 'string' ? (JSON.parse(frame) as (typeof frames)[0]) : rooms.read(frame);
      if (read === undefined) throw new Error('a frame of a room that the socket was not told of');
      frames.push(read);
      return true;
    },
    hear: (topic: string) => void topics.add(topic),
    unhear: (topic: string) => void topics.delete(topic),
  };
  return { connection: socket as unknown as Connection, socket, frames, topics, rooms };
}

/**
 * A hub with sockets that are none, so that a test decides what each of them holds. `published` counts frames that reached a socket by
 * `publish`, one for each.
 */
export function createHubNode({ encodeBinary = encodePositionFrame } = {}) {
  const metrics = createMetrics(createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false }));
  const sockets: ReturnType<typeof createSocket>[] = [];
  let stored: Position | null = null;
  let published = 0;
  const slowConsumers = createSlowConsumers({ slowBytes: 1000, metrics });
  const hub = createHub({
    publish: (topic, frame) => {
      for (const { topics, socket } of sockets) {
        if (!topics.has(topic)) continue;
        published += 1;
        socket.send(frame);
      }
    },
    reader: { read: async () => stored, readMany: async () => new Map() },
    partitionOf: () => 0,
    metrics,
    onHanded: slowConsumers.handed,
    encodeBinary,
  });
  const enter = (room: Room, isBinary: boolean) => {
    const socket = createSocket(isBinary);
    sockets.push(socket);
    const subscription: Subscription = {
      connection: socket.connection,
      room,
      state: 'joining',
      pending: undefined,
      events: undefined,
      leave: () => hub.leave(subscription),
    };
    room.members.add(subscription);
    slowConsumers.track(subscription);
    socket.rooms.note({ type: 'subscribed', topic: room.topic, ...roomNumber(subscription) });
    return { ...socket, room, subscription };
  };
  const join = (topic: string, tripId?: string) => enter(hub.openRoom({ topic, driverId: 'driver-1', tripId }), false);
  return {
    hub,
    slowConsumers,
    metrics,
    enter,
    join,
    setStored: (position: Position) => (stored = position),
    get published() {
      return published;
    },
  };
}
