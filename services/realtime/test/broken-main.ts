import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { createInstanceId } from '@hushryd/platform/lifecycle/instance-id';
import { createLifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { loadScript } from '@hushryd/platform/redis/scripts';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import { mayWatchTrip } from '@hushryd/tracking/trip-access/access-rules';

import { Redis } from 'ioredis';
import { readConfig } from '../src/config.ts';
import { Connection } from '../src/connections/connection.ts';
import type { FanoutGuards } from '../src/fanout/fanout.ts';
import { createHub } from '../src/fanout/hub.ts';
import { startRealtime } from '../src/service.ts';

// The negative controls of what sockets are told and of what is stored: a realtime node with one guard taken out, named by BROKEN_GUARD.
// Whoever checks that positions never go back, that a room never leaks, or that what is acknowledged is readable has to find it out.
// `none` is the node as it ships, as slow to read.

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
  'stored order': { createHub, mayWatchTrip },
  'stored before received': { createHub, mayWatchTrip },
};

/** A write that begins so long after it was acknowledged. */
const writeLaterMs = 500;
type Call = (name: string, ...args: (string | Buffer | number)[]) => Promise<unknown>;

/** Replace the one call by which fixes are stored: `script` is its text, `args` what follows it. */
function insteadOfWrites(write: (call: Call, script: string, args: Parameters<Call>[1][]) => Promise<unknown>): void {
  const script = loadScript(import.meta.resolve('@hushryd/tracking/positions/write-batch'), './write-batch.lua');
  const sha = createHash('sha1').update(script).digest('hex');
  const prototype = Redis.prototype as unknown as { call: Call };
  const { call } = prototype;
  prototype.call = function callOrWrite(name, ...args) {
    const [named, ...rest] = args;
    return name === 'evalsha' && named === sha ? write(call.bind(this), script, rest) : call.call(this, name, ...args);
  };
}

if (process.env.BROKEN_GUARD === 'stored order') {
  const guard = 'run > current[1] or (run == current[1] and seq > current[2])';
  insteadOfWrites((call, script, args) => {
    if (!script.includes(guard)) throw new Error('the guard of write-batch.lua is another one now');
    return call('eval', script.replace(guard, 'true'), ...args);
  });
}
if (process.env.BROKEN_GUARD === 'stored before received') {
  // Three numbers a group, see write-batch.lua; five keys and the channel come before the groups.
  insteadOfWrites(async (call, script, args) => {
    setTimeout(() => void call('eval', script, ...args), writeLaterMs);
    return Array.from({ length: (args.length - 7) / 5 }, () => [1, 0, 0]).flat();
  });
}

if (process.env.BROKEN_GUARD === 'leaving') Connection.prototype.unhear = () => undefined;
if (process.env.BROKEN_GUARD === 'ended sessions') {
  const { close } = Connection.prototype;
  Connection.prototype.close = function closeUnlessEnded(code, reason) {
    if (code !== closeCodes.sessionEnded) close.call(this, code, reason);
  };
}

const config = readConfig(process.env);
const instanceId = createInstanceId('realtime');
const log = createLogger({ service: 'realtime', instanceId, level: config.logLevel });
const lifecycle = createLifecycle({ log, timeoutMs: config.shutdownTimeoutMs });
lifecycle.onSignals();
const telemetry = createTelemetry({ service: 'realtime', instanceId });
const guards = guardsWithout[process.env.BROKEN_GUARD ?? ''];
if (guards === undefined) throw new Error(`BROKEN_GUARD is one of ${Object.keys(guardsWithout)}`);
const { port } = await startRealtime({ config, instanceId, log, telemetry, lifecycle, guards });
log.info({ port }, 'listening');
