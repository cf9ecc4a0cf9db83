import { createDrillStore } from '@hushryd/outreach/drills/drill-store';
import { createTendDrills } from '@hushryd/outreach/drills/tend-drills';
import { createTimelineSealer } from '@hushryd/outreach/timeline/seal-timelines';
import { createFollowedTrips } from '@hushryd/outreach/trail/followed-trips';
import { createReadOpenAlerts } from '@hushryd/outreach/trail/open-alerts';
import { createTrackedAlerts } from '@hushryd/outreach/trail/tracked-alerts';
import { createHealthReports } from '@hushryd/platform/health/health-reports';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import { startPatiently } from '@hushryd/platform/lifecycle/start-patiently';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { MongoConnection } from '@hushryd/platform/mongo/connect';
import { createQueueMeter } from '@hushryd/platform/queues/queue-meter';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { assertLayout, markFilled } from '@hushryd/platform/redis/layout';
import { createMemoryWatch } from '@hushryd/platform/redis/watch-memory';
import { startMetricsServer } from '@hushryd/platform/telemetry/metrics-server';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { createPublishEvent } from '@hushryd/platform/topics/publish-event';
import { createDriverStore } from '@hushryd/rides/people/driver-store';
import { createRevocationStore } from '@hushryd/rides/people/revocation-store';
import { createTripStore } from '@hushryd/rides/trips/trip-store';
import { createAccessBeat } from '@hushryd/tracking/access-log/access-beat';
import { createDriverStates } from '@hushryd/tracking/driver-state/driver-states';
import { createHistoryStore } from '@hushryd/tracking/history/history-store';
import { createRoadStore } from '@hushryd/tracking/history/road-store';
import { createSilentExpiry } from '@hushryd/tracking/positions/expire-silent';
import { createSilenceWatch } from '@hushryd/tracking/positions/watch-silence';
import { createRevocationPublisher } from '@hushryd/tracking/revocations/revocation-publisher';
import { createAccessPublisher } from '@hushryd/tracking/trip-access/publish-access';
import { startAlerts } from './alerts/start-alerts.ts';
import type { WorkerConfig } from './config.ts';
import { createRoadFolder } from './location-history/fold-roads.ts';
import { createLocationHistory } from './location-history/location-history.ts';
import { startNotifications } from './notifications/start-notifications.ts';
import { openDelivery } from './open-delivery.ts';
import { createSilenceSchedule } from './schedules/announce-silence.ts';
import { createSilentDriversSchedule } from './schedules/expire-silent-drivers.ts';
import { createForgetDurableSchedule } from './schedules/forget-durable.ts';
import { createRepublishing } from './schedules/republish.ts';
import { createTimelineSchedule } from './schedules/seal-timelines.ts';
import { createDrillSchedule } from './schedules/tend-drills.ts';

/** A trip's fixes are marked with its alert from then on. */
const followAlertsEveryMs = 1_000;

/** Everything the worker does, started in order and registered to end in reverse. Collections exist already. */
export async function startWorker({
  config,
  workerId,
  mongo,
  lifecycle,
  telemetry,
  log,
}: {
  config: WorkerConfig;
  workerId: string;
  mongo: MongoConnection;
  lifecycle: Lifecycle;
  telemetry: Telemetry;
  log: Logger;
}): Promise<void> {
  const connections = await connectRedis({ settings: config.redis, role: 'live', log, telemetry });
  lifecycle.add('redis', () => connections.close());

  const health = createHealthReports({
    service: 'worker',
    instanceId: workerId,
    isDraining: () => lifecycle.isClosing,
    needs: 'all',
    dependencies: { redis: connections.ping, mongodb: mongo.ping },
  });
  const metrics = await startMetricsServer({
    registry: telemetry.registry,
    host: config.host,
    port: config.metricsPort,
    health,
  });
  lifecycle.add('metrics', () => metrics.close());
  const redis = connections.commands;
  const keys = createKeys(config.redis);
  await startPatiently(() => assertLayout({ redis, keys }));

  const deadlineMs = config.mongo.deadlineMs;
  const roads = createRoadFolder({
    store: createRoadStore({ db: mongo.db, deadlineMs }),
    foldMs: config.roads.foldMs,
    telemetry,
    log,
  });
  roads.start();
  lifecycle.add('roads', () => roads.close());

  const trips = createTripStore({ db: mongo.db, deadlineMs });
  const followed = createFollowedTrips({
    readOpenAlerts: createReadOpenAlerts({ db: mongo.db, deadlineMs }),
    readAccess: (tripIds) => trips.tripAccessByIds(tripIds),
    tracked: createTrackedAlerts({ redis, keys }),
  });
  // Whoever was here before has marked their fixes: that goes on with the first.
  await followed.look().catch((err: unknown) => log.warn({ err }, 'open alerts not read yet'));
  const history = createLocationHistory({
    redis,
    keys,
    store: createHistoryStore({ db: mongo.db, deadlineMs }),
    roads,
    followed,
    workerId,
    settings: config.history,
    telemetry,
    log,
  });
  history.start();
  lifecycle.add('location history', () => history.close());

  const schedules = [
    createPeriodic({ name: 'follow open alerts', everyMs: followAlertsEveryMs, run: followed.look, log }),
    createMemoryWatch({ redis, telemetry, log }),
    createAccessBeat({ redis, keys, log }),
    createSilentDriversSchedule({
      expiry: createSilentExpiry({ redis, keys }),
      partitions: history.partitions,
      silentForMs: config.silent.afterMs,
      everyMs: config.silent.checkMs,
      telemetry,
      log,
    }),
    createSilenceSchedule({
      watch: createSilenceWatch({ redis, keys, publishEvent: createPublishEvent({ redis, keys }) }),
      partitions: history.partitions,
      silentAfterMs: config.presence.silentAfterMs,
      liveMaxAgeMs: config.presence.liveMaxAgeMs,
      everyMs: config.presence.checkMs,
      telemetry,
      log,
    }),
    createTimelineSchedule({
      redis,
      keys,
      workerId,
      sealer: createTimelineSealer({ db: mongo.db, deadlineMs, telemetry, log }),
      everyMs: config.timelineSealMs,
      log,
    }),
    createDrillSchedule({
      redis,
      keys,
      workerId,
      tendDrills: createTendDrills({ drills: createDrillStore({ db: mongo.db, deadlineMs }), log }),
      log,
    }),
    createForgetDurableSchedule({ redis, keys, partitions: history.partitions, log }),
    ...createRepublishing({
      redis,
      keys,
      workerId,
      trips,
      drivers: createDriverStore({ db: mongo.db, region: config.region, deadlineMs }),
      access: createAccessPublisher({ redis, keys }),
      driverStates: createDriverStates({ redis, keys }),
      revocations: {
        store: createRevocationStore({ db: mongo.db, deadlineMs }),
        publisher: createRevocationPublisher({ redis, keys }),
      },
      async markRestored() {
        await assertLayout({ redis, keys });
        await markFilled({ redis, keys });
      },
      everyMs: { changed: config.republish.changedMs, all: config.republish.allMs },
      telemetry,
      log,
    }),
  ];
  for (const schedule of schedules) schedule.start();
  lifecycle.add('schedules', async () => void (await Promise.all(schedules.map((schedule) => schedule.close()))));

  const delivery = await openDelivery({ config, workerId, redis, keys, db: mongo.db, lifecycle, telemetry, log });
  const queueMeter = createQueueMeter({ telemetry });
  const alerts = await startAlerts({ config, delivery, queueMeter, redis, keys, lifecycle, telemetry, log });
  await startNotifications({
    config,
    delivery,
    queueMeter,
    takers: [alerts.takeReceipt],
    keys,
    db: mongo.db,
    lifecycle,
    telemetry,
    log,
  });
}
