import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { createLogger } from '@hushryd/platform/logging/create-logger';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { createTelemetry } from '@hushryd/platform/telemetry/telemetry';
import { testRedis } from '@hushryd/platform/testing/engines';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import t from 'tap';
import { createTripStreams } from './trip-streams.ts';

const log = createLogger({ service: 'test', instanceId: 'test', level: 'error' });
const settings = (await testRedis(t)).settings({ partitions: 1 });
const connections = await connectRedis({ settings, role: 'live', log });
t.teardown(() => connections.close());

t.test(
  'nobody is let in before the events come; who was when the node began to drain is sent away, and holds no place',
  async (t) => {
    const trip: TripAccess = { tripId: 'one', version: 2, state: 'active', driverId: 'dora', passengerIds: ['rita'] };
    const telemetry = createTelemetry({ service: 'test', instanceId: 'test', withProcessMetrics: false });
    let giveAccess: (access: TripAccess) => void = () => undefined;
    const watched: string[] = [];
    const streams = createTripStreams({
      connections,
      keys: createKeys(settings),
      access: {
        load: () => new Promise<TripAccess>((resolve) => (giveAccess = resolve)),
        watch: (tripId) => watched.push(tripId),
        unwatch: (tripId) => watched.splice(watched.indexOf(tripId), 1),
      } as Partial<AccessCache> as AccessCache,
      revocations: { of: () => undefined },
      livePositions: { onChange: () => () => undefined },
      positions: { read: async () => null, readMany: async () => new Map() },
      limits: { maxStreams: 10, maxPerUser: 1 },
      log,
      telemetry,
    });
    t.teardown(() => streams.close());
    const request = {
      identity: {
        userId: 'rita',
        role: 'rider',
        tokenId: 'token-1',
        issuedAtMs: 0,
        expiresAtMs: Number.POSITIVE_INFINITY,
        audience: 'user',
      },
      tripId: 'one',
      seen: undefined,
    } as const;

    await t.rejects(streams.open(request), { code: 'redis_unavailable' }, 'no event would come yet');
    await streams.start();
    const opening = streams.open(request);
    streams.drain();
    giveAccess(trip);
    await t.rejects(opening, { code: 'draining' });
    t.strictSame(watched, []);
    t.match(await telemetry.registry.getSingleMetricAsString('event_streams'), / 0$/);
    await t.rejects(streams.open(request), { code: 'draining' });
  },
);
