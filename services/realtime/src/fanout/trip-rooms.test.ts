import { setImmediate as nextTurn } from 'node:timers/promises';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import type { Identity, Role } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import type { TopicMessage } from '@hushryd/platform/topics/event-feed';
import type { EventsAfter } from '@hushryd/platform/topics/recover-events';
import t from 'tap';
import type { Connection, Membership } from '../connections/connection.ts';
import { createMetrics } from '../metrics.ts';
import { createEventStreams } from './event-streams.ts';
import { createHub } from './hub.ts';
import { createRooms } from './rooms.ts';
import { createSlowConsumers } from './slow-consumer.ts';
import { createTripRooms } from './trip-rooms.ts';

const topic = 'trip:trip-1';
const started: TripAccess = {
  tripId: 'trip-1',
  version: 1,
  state: 'active',
  driverId: 'driver-1',
  passengerIds: ['rider-1'],
};
const ended: TripAccess = { ...started, version: 2, state: 'ended' };
const endedMessage: TopicMessage = {
  topic,
  epoch: 'one',
  offset: 2,
  event: { name: 'trip.ended', tripId: 'trip-1', version: 2 },
};

/** The trip's room on a node whose clock, and whose reading of the event log, the test sets. */
function createNode() {
  const log = createLogger({ service: 'test', instanceId: 'test', level: 'silent' });
  const metrics = createMetrics(createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false }));
  const hub = createHub({
    publish: () => undefined,
    reader: { read: async () => null, readMany: async () => new Map() },
    partitionOf: () => 0,
    metrics,
  });
  const slowConsumers = createSlowConsumers({ slowBytes: 1000, metrics });
  const rooms = createRooms({
    hub,
    slowConsumers,
    streams: { leave: (listener) => streams.leave(listener) },
    onOpened: (room) => tripRooms.onOpened(room),
    onClosed: (room) => tripRooms.onClosed(room),
  });
  const clock = { nowMs: 0 };
  const eventLog = {
    reads: 0,
    read: async (): Promise<EventsAfter> => {
      throw new AppError('redis_unavailable');
    },
  };
  const streams = createEventStreams({
    feed: { head: async () => ({ epoch: 'one', offset: 1 }) },
    recoverEvents: () => {
      eventLog.reads += 1;
      return eventLog.read();
    },
    partitionOf: () => 0,
    sosRepeats: { sent: () => undefined, forget: () => undefined },
    snapshotOf: (name) => tripRooms.snapshotOf(name),
    onPassedOn: (message) => tripRooms.onPassedOn(message),
    slowBytes: 1000,
    metrics,
    log,
  });
  const tripRooms = createTripRooms({
    rooms,
    hub,
    access: {
      peek: () => started,
      load: async () => started,
      loadStarted: async () => started,
      watch: () => undefined,
      unwatch: () => undefined,
    },
    streams,
    monotonicMs: () => clock.nowMs,
  });

  async function join(userId: string, role: Role) {
    const said: string[] = [];
    const note = (frame: { type: string; event?: { name: string } }) => {
      said.push(frame.event?.name ?? frame.type);
      return true;
    };
    const place: Membership = { leave: () => undefined };
    const connection = {
      identity: { userId, role } as Identity,
      memberships: new Map([[topic, place]]),
      bufferedBytes: 0,
      send: (text: string) => note(JSON.parse(text) as Parameters<typeof note>[0]),
      sendFrame: note,
      hear: () => undefined,
      unhear: () => undefined,
    };
    await tripRooms.join({ connection: connection as unknown as Connection, tripId: 'trip-1', id: undefined, place });
    return said;
  }

  /** Sweeps `afterMs` later, and lets what that began come to its end. */
  async function sweep(afterMs: number) {
    clock.nowMs += afterMs;
    tripRooms.sweep();
    await nextTurn();
  }

  return { tripRooms, eventLog, join, sweep };
}

t.test('an event that is late is read from the log: whoever stays and whoever goes hears it', async (t) => {
  const { tripRooms, eventLog, join, sweep } = createNode();
  const [rider, operator] = [await join('rider-1', 'rider'), await join('operator-1', 'operator')];
  eventLog.read = async () => ({ recovered: true, head: endedMessage, messages: [endedMessage] });

  tripRooms.onAccess(ended);
  await sweep(500);
  t.strictSame([rider, operator], [['subscribed'], ['subscribed']], 'not yet overdue');
  await sweep(600);

  t.strictSame(rider, ['subscribed', 'trip.ended', 'unsubscribed']);
  t.strictSame(operator, ['subscribed', 'trip.ended']);
  await sweep(60_000);
  t.equal(eventLog.reads, 1);
});

t.test('while the log cannot be read nobody watches on who may not, and the others are not forgotten', async (t) => {
  const { tripRooms, eventLog, join, sweep } = createNode();
  const [rider, operator] = [await join('rider-1', 'rider'), await join('operator-1', 'operator')];

  tripRooms.onAccess(ended);
  await sweep(1100);
  t.strictSame(rider, ['subscribed', 'unsubscribed']);
  t.strictSame(operator, ['subscribed']);
  await sweep(500);
  t.equal(eventLog.reads, 1, 'asked again when it is due again, not with each sweep');
  await sweep(600);
  t.equal(eventLog.reads, 2);

  eventLog.read = async () => ({ recovered: true, head: endedMessage, messages: [endedMessage] });
  await sweep(1100);
  t.strictSame(operator, ['subscribed', 'trip.ended']);
  await sweep(60_000);
  t.equal(eventLog.reads, 3, 'nothing is owed any more');
  t.strictSame(rider, ['subscribed', 'unsubscribed']);
});
