import type { Revocation } from '@hushryd/contracts/http/sessions';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import type { RedisClient } from '@hushryd/platform/redis/client';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { test } from 'tap';
import { createRepublishing } from './republish.ts';

const minuteMs = 60_000;
const toChange = (access: TripAccess) => ({
  access,
  event: {
    name: 'trip.started' as const,
    tripId: access.tripId,
    at: new Date(0).toISOString(),
    version: access.version,
  },
});

test('what changed while Redis was away is published again, however long that was', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1);
  let isRedisAway = false;
  let isOurs = true;
  const askedSinceMs: number[] = [];
  const redis = {
    set: async () => {
      if (isRedisAway) throw new Error('away');
      return isOurs ? 'OK' : null;
    },
    get: async () => 'another worker',
  } as unknown as RedisClient;
  const trips: TripAccess[] = [
    { tripId: 'over', version: 3, state: 'ended', driverId: 'dora', passengerIds: [], startedAtMs: 1, endedAtMs: 2 },
    { tripId: 'running', version: 2, state: 'active', driverId: 'emil', passengerIds: [], startedAtMs: 1 },
  ];
  const freed: string[] = [];
  const nothing = { changes: [], drivers: [], nextCursor: null };
  const [changed] = createRepublishing({
    redis,
    keys: createKeys({ prefix: 'test:', partitions: 1 }),
    workerId: 'us',
    trips: {
      changedSince: async ({ sinceMs }) => {
        askedSinceMs.push(sinceMs);
        return { changes: trips.map(toChange), nextCursor: null };
      },
      activeTrips: async () => nothing,
    },
    drivers: { driversChangedSince: async () => nothing, availableDrivers: async () => nothing },
    access: {
      republish: async () => {
        if (isRedisAway) throw new Error('away');
        return 0;
      },
    },
    driverStates: {
      set: async () => false,
      clearTrip: async ({ driverId, tripId }) => freed.push(`${driverId} of ${tripId}`) > 0,
    },
    revocations: {
      store: { inForce: async () => [] },
      publisher: { publish: async () => false, forgetExpired: async () => 0 },
    },
    markRestored: async () => undefined,
    everyMs: { changed: 2000, all: minuteMs },
    telemetry: createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false }),
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
    now: () => nowMs,
  });
  const run = async () => {
    await changed?.runNow();
    return askedSinceMs.splice(0).map((sinceMs) => (nowMs - sinceMs) / minuteMs);
  };

  t.strictSame(await run(), [60], 'whoever starts does not know since when nobody did it');
  t.strictSame(freed, ['dora of over'], 'the end of a trip reaches its driver also when nobody announced it');
  nowMs += minuteMs;
  t.strictSame(await run(), [2], 'what an announcement may take, on top of the time since the last look');

  isRedisAway = true;
  nowMs += 5 * minuteMs;
  t.strictSame(await run(), [6], 'tried, and in vain');
  nowMs += 5 * minuteMs;
  isRedisAway = false;
  t.strictSame(await run(), [11]);

  isOurs = false;
  nowMs += 5 * minuteMs;
  t.strictSame(await run(), [], 'another worker does it');
  isOurs = true;
  t.strictSame(await run(), [1]);
});

test('what cannot be put back keeps nothing else from it, and is tried again', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1);
  let isShardAway = true;
  const put: string[] = [];
  const askedSinceMs: number[] = [];
  const ended = (tripId: string): TripAccess => ({
    tripId,
    version: 3,
    state: 'ended',
    driverId: `driver of ${tripId}`,
    passengerIds: [],
    startedAtMs: 1,
    endedAtMs: 2,
  });
  const away = async (what: string, result: boolean) => {
    if (isShardAway && what.endsWith('1')) throw new Error('away');
    put.push(what);
    return result;
  };
  const page = (cursor: string | null | undefined) => ({ nextCursor: cursor === undefined ? 'more' : null });
  const [changed] = createRepublishing({
    redis: {
      set: async () => {
        throw new Error('the shard with the duty is away, too');
      },
    } as unknown as RedisClient,
    keys: createKeys({ prefix: 'test:', partitions: 1 }),
    workerId: 'us',
    trips: {
      changedSince: async ({ sinceMs, cursor }) => {
        askedSinceMs.push(sinceMs);
        return { ...page(cursor), changes: [toChange(ended(cursor === undefined ? 'trip-1' : 'trip-2'))] };
      },
      activeTrips: async () => ({ changes: [], nextCursor: null }),
    },
    drivers: {
      driversChangedSince: async ({ cursor }) => ({
        ...page(cursor),
        drivers: [{ driverId: cursor === undefined ? 'state-1' : 'state-2', available: true, version: 1 }],
      }),
      availableDrivers: async () => ({ drivers: [], nextCursor: null }),
    },
    access: {
      republish: async (changes) => Number(await away(changes.map(({ access }) => access.tripId).join(), true)),
    },
    driverStates: {
      set: ({ driverId }) => away(driverId, true),
      clearTrip: ({ driverId }) => away(driverId, true),
    },
    revocations: {
      store: { inForce: async () => [{ userId: 'revoked-1' }, { userId: 'revoked-2' }] as Revocation[] },
      publisher: { publish: ({ userId }) => away(userId, true), forgetExpired: async () => 0 },
    },
    markRestored: async () => undefined,
    everyMs: { changed: 2000, all: minuteMs },
    telemetry: createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false }),
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
    now: () => nowMs,
  });
  await changed?.runNow();
  t.strictSame(put.splice(0), ['revoked-2', 'trip-2', 'driver of trip-2', 'state-2']);
  t.equal(changed?.failedCount, 1);

  isShardAway = false;
  askedSinceMs.length = 0;
  nowMs += minuteMs;
  await changed?.runNow();
  t.equal(put.length, 8);
  t.equal((nowMs - (askedSinceMs[0] as number)) / minuteMs, 61, 'from where the last whole look ended');
});

/** The schedules over a Redis that has, or has not, what is looked for. */
function createStage({ allMs = minuteMs }: { allMs?: number } = {}) {
  const lost = new Set<string>();
  const done: string[] = [];
  const put = async (what: string) => done.push(what) > 0;
  const keys = createKeys({ prefix: 'test:', partitions: 3 });
  const periodics = createRepublishing({
    redis: {
      set: async () => 'OK',
      exists: async (key: string) => (lost.has(key) ? 0 : 1),
    } as unknown as RedisClient,
    keys,
    workerId: 'us',
    trips: {
      changedSince: async () => ({ changes: [], nextCursor: null }),
      activeTrips: async () => ({ changes: [toChange({ tripId: 'trip' } as TripAccess)], nextCursor: null }),
    },
    drivers: {
      driversChangedSince: async () => ({ drivers: [], nextCursor: null }),
      availableDrivers: async () => ({
        drivers: [{ driverId: 'driver', available: true, version: 1 }],
        nextCursor: null,
      }),
    },
    access: { republish: async ([change]) => Number(await put(change?.access.tripId ?? '')) },
    driverStates: { set: ({ driverId }) => put(driverId), clearTrip: async () => false },
    revocations: {
      store: { inForce: async () => [{ userId: 'revoked' }] as Revocation[] },
      publisher: { publish: ({ userId }) => put(userId), forgetExpired: async (t) => Number(await put(`forget ${t}`)) },
    },
    markRestored: async () => {
      lost.clear();
      await put('filled');
    },
    everyMs: { changed: minuteMs, all: allMs },
    telemetry: createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false }),
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
  });
  const start = () => {
    for (const periodic of periodics) periodic.start();
    return Promise.all(periodics.map((periodic) => periodic.runNow()));
  };
  return { keys, lost, done, start, close: () => Promise.all(periodics.map((periodic) => periodic.close())) };
}

const everything = ['revoked', 'trip', 'driver'];

test('where Redis was emptied everything is put back at once, also where another process has claimed the layout, and that is said last', async (t) => {
  const { keys, lost, done, start, close } = createStage();
  t.teardown(close);
  await start();
  done.length = 0;

  lost.add(keys.filled(2));
  await waitFor(() => done.includes('filled'), { withinMs: 5000, what: 'the word that Redis is filled' });
  t.strictSame(done, [...everything, 'filled']);
});

test('everything under way is put back again and again, and what no token needs any more is forgotten', async (t) => {
  const { done, start, close } = createStage({ allMs: 5 });
  t.teardown(close);
  await start();

  const round = [...everything, 'forget 0', 'forget 1', 'forget 2'];
  const timesOf = (what: string) => done.filter((one) => one === what).length;
  await waitFor(() => round.every((what) => timesOf(what) >= 3), { withinMs: 5000, what: 'three rounds' });
  t.equal(timesOf('filled'), 0, 'nothing was lost');
});

test('of very many revocations no more are on their way to Redis than it answers within a command’s deadline', async (t) => {
  const inForce = Array.from({ length: 2_500 }, (_, n) => ({ userId: `rider-${n}` }) as Revocation);
  const published = new Set<string>();
  let inFlight = 0;
  let mostInFlight = 0;
  const nothing = { changes: [], drivers: [], nextCursor: null };
  const [, all] = createRepublishing({
    redis: { set: async () => 'OK' } as unknown as RedisClient,
    keys: createKeys({ prefix: 'test:', partitions: 1 }),
    workerId: 'us',
    trips: { changedSince: async () => nothing, activeTrips: async () => nothing },
    drivers: { driversChangedSince: async () => nothing, availableDrivers: async () => nothing },
    access: { republish: async () => 0 },
    driverStates: { set: async () => false, clearTrip: async () => false },
    revocations: {
      store: { inForce: async () => inForce },
      publisher: {
        async publish({ userId }) {
          inFlight += 1;
          mostInFlight = Math.max(mostInFlight, inFlight);
          await new Promise(setImmediate);
          inFlight -= 1;
          published.add(userId);
          return true;
        },
        forgetExpired: async () => 0,
      },
    },
    markRestored: async () => undefined,
    everyMs: { changed: 2_000, all: minuteMs },
    telemetry: createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false }),
    log: createLogger({ service: 'test', instanceId: 'test', level: 'silent' }),
  });

  await all?.runNow();

  t.equal(published.size, inForce.length);
  t.ok(mostInFlight <= 1_000, `${mostInFlight} at once`);
});
