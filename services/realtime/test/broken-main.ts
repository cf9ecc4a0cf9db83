import { setTimeout as delay } from 'node:timers/promises';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import { mayWatchTrip } from '@hushryd/tracking/trip-access/access-rules';
import { readSettings } from '../src/config.ts';
import { Connection } from '../src/connections/connection.ts';
import type { FanoutGuards } from '../src/fanout/fanout.ts';
import { createHub } from '../src/fanout/hub.ts';
import { startRealtime } from '../src/service.ts';

// The negative controls of what sockets are told: a realtime node with one guard taken out, named by BROKEN_GUARD. Whoever checks that
// positions never go back, or that a room never leaks, has to find it out. `none` is the node as it ships, as slow to read.

/** A read that comes back after newer positions came by the feed: what the guard of a room's order is for. */
const readLaterMs = 500;

const slowly = (reader: PositionReader): PositionReader => ({
  ...reader,
  async read(driverId) {
    const position = await reader.read(driverId);
    await delay(readLaterMs);
    return position;
  },
});

const guardsWithout: Readonly<Record<string, FanoutGuards>> = {
  none: {
    createHub: (options) => createHub({ ...options, reader: slowly(options.reader) }),
    mayWatchTrip,
  },
  order: {
    createHub: (options) => createHub({ ...options, reader: slowly(options.reader), isNews: () => true }),
    mayWatchTrip,
  },
  access: { createHub, mayWatchTrip: () => true },
  leaving: { createHub, mayWatchTrip },
  'ended sessions': { createHub, mayWatchTrip },
};

if (process.env.BROKEN_GUARD === 'leaving') Connection.prototype.unhear = () => undefined;
if (process.env.BROKEN_GUARD === 'ended sessions') {
  const { close } = Connection.prototype;
  Connection.prototype.close = function closeUnlessEnded(code, reason) {
    if (code !== closeCodes.sessionEnded) close.call(this, code, reason);
  };
}

const settings = readSettings(process.env);
const instanceId = createInstanceId('realtime');
const log = createLogger({ service: 'realtime', instanceId, level: settings.logLevel });
const lifecycle = createLifecycle({ log, timeoutMs: settings.shutdownTimeoutMs });
lifecycle.onSignals();
const telemetry = createTelemetry({ service: 'realtime', instanceId });
const guards = guardsWithout[process.env.BROKEN_GUARD ?? ''];
if (guards === undefined) throw new Error(`BROKEN_GUARD is one of ${Object.keys(guardsWithout)}`);
const { port } = await startRealtime({ settings, instanceId, log, telemetry, lifecycle, guards });
log.info({ port }, 'listening');
