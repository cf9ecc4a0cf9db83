import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { mayWatchTrip } from '@hushryd/tracking/trip-access/access-rules';
import { readConfig } from '../src/config.ts';
import { Connection } from '../src/connections/connection.ts';
import { createHub } from '../src/fanout/hub.ts';
import type { Publish } from '../src/fanout/room-listeners.ts';
import { startRealtime } from '../src/service.ts';

// A realtime node that loses what it says, named by LEAK. What one socket is told is sent by `Connection`, what a room is told is
// published by the hub, so there are the leaks. `nothing` is the node as it ships.

/** What a listener is told instead; undefined: nothing at all, without a word. */
type Leak = (text: string, listener: object) => string | undefined;

const isOfType = (text: string, type: string) => text.startsWith(`{"type":"${type}"`);

/** Of the frames of a type that a listener would be told, some by their number, from 1, are lost. */
function lose(type: string, isLost: (number: number) => boolean): Leak {
  const numbers = new WeakMap<object, number>();
  return (text, listener) => {
    if (!isOfType(text, type)) return text;
    const number = (numbers.get(listener) ?? 0) + 1;
    numbers.set(listener, number);
    return isLost(number) ? undefined : text;
  };
}

const every = (n: number) => (number: number) => number % n === 0;

/** Says that a socket recovered, keeps three events from it, and says of the next one that nothing was to come before it. */
function recoverInWords(): Leak {
  const eventsToLose = new WeakMap<object, number>();
  return (text, listener) => {
    if (isOfType(text, 'beacon')) return undefined;
    if (text.includes('"recovered":true')) eventsToLose.set(listener, 3);
    const left = eventsToLose.get(listener);
    if (left === undefined || !isOfType(text, 'event')) return text;
    if (left > 0) {
      eventsToLose.set(listener, left - 1);
      return undefined;
    }
    eventsToLose.delete(listener);
    return JSON.stringify({ ...JSON.parse(text), after: 0 });
  };
}

const inTurn =
  (...leaks: Leak[]): Leak =>
  (text, listener) =>
    leaks.reduce<string | undefined>((left, leak) => left && leak(left, listener), text);

/** Beacons are told to a socket where they are of events, to a room where they are of positions. */
const lastWords = (type: string, ...beacons: Leak[]) => inTurn(lose(type, every(7)), ...beacons);
const firstBeacons = () => lose('beacon', (number) => number % 2 === 1);
const allBeacons = () => lose('beacon', () => true);
/** What says something new of a fix that was told already: another state or trip, or that the driver is gone. */
function loseChanges(): Leak {
  const told = new WeakMap<object, string>();
  return (text, listener) => {
    if (isOfType(text, 'gone')) return undefined;
    if (!isOfType(text, 'position')) return text;
    const [place = ''] = /"run":\d+,"seq":\d+/.exec(text) ?? [];
    if (told.get(listener) === place) return undefined;
    told.set(listener, place);
    return text;
  };
}
const keepAll: Leak = (text) => text;

const leaks: Readonly<Record<string, { toSocket: Leak; toRoom: Leak }>> = {
  nothing: { toSocket: keepAll, toRoom: keepAll },
  'last words': { toSocket: lastWords('event'), toRoom: lastWords('position') },
  'last words and first beacons': {
    toSocket: lastWords('event', firstBeacons()),
    toRoom: lastWords('position', firstBeacons()),
  },
  'last words and beacons': {
    toSocket: lastWords('event', allBeacons()),
    toRoom: lastWords('position', allBeacons()),
  },
  changes: { toSocket: keepAll, toRoom: loseChanges() },
  'changes and beacons': { toSocket: keepAll, toRoom: inTurn(loseChanges(), allBeacons()) },
  'one position': { toSocket: keepAll, toRoom: lose('position', (number) => number === 3) },
  'what is recovered': { toSocket: recoverInWords(), toRoom: keepAll },
};

const leak = leaks[process.env.LEAK ?? ''];
if (leak === undefined) throw new Error(`LEAK is one of ${Object.keys(leaks)}`);
const { toSocket, toRoom } = leak;

const { send } = Connection.prototype;
Connection.prototype.send = function sendLeaking(frame, deliveryClass) {
  const left = typeof frame === 'string' ? toSocket(frame, this) : frame;
  return left === undefined ? true : send.call(this, left, deliveryClass);
};

const rooms = new Map<string, object>();
function leakingPublish(publish: Publish): Publish {
  return (channel, frame) => {
    const room = rooms.get(channel) ?? {};
    rooms.set(channel, room);
    // Binary frames of rooms are positions; here it only matters which of them are lost.
    const left = toRoom(typeof frame === 'string' ? frame : '{"type":"position"}', room);
    if (left !== undefined) publish(channel, typeof frame === 'string' ? left : frame);
  };
}

const config = readConfig(process.env);
const instanceId = createInstanceId('realtime');
const log = createLogger({ service: 'realtime', instanceId, level: config.logLevel });
const lifecycle = createLifecycle({ log, timeoutMs: config.shutdownTimeoutMs });
lifecycle.onSignals();
const telemetry = createTelemetry({ service: 'realtime', instanceId });
const guards = {
  createHub: (options: Parameters<typeof createHub>[0]) =>
    createHub({ ...options, publish: leakingPublish(options.publish) }),
  mayWatchTrip,
};
const { port } = await startRealtime({ config, instanceId, log, telemetry, lifecycle, guards });
log.info({ port }, 'listening');
