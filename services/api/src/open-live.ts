import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { startInTurn } from '@hushryd/platform/lifecycle/start-patiently';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisConnections } from '@hushryd/platform/redis/connect';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { createAccessFollower } from '@hushryd/tracking/access-log/access-follower';
import { createDriverStates, type DriverStates } from '@hushryd/tracking/driver-state/driver-states';
import { createLivePositions, type LivePositions } from '@hushryd/tracking/feed/live-positions';
import { createFixBatcher, type FixBatcher } from '@hushryd/tracking/fix-batcher';
import { createDurableFeed } from '@hushryd/tracking/history/durable-feed';
import { createHistoryPaces, type HistoryPaces } from '@hushryd/tracking/history/history-paces';
import { createNearbyIndex, type NearbyIndex } from '@hushryd/tracking/nearby/nearby-index';
import { createPassingIds, type PassingIds } from '@hushryd/tracking/nearby/passing-ids';
import { createPositionReader, type PositionReader } from '@hushryd/tracking/positions/read-position';
import { createWriteBatch } from '@hushryd/tracking/positions/write-batch';
import { createRevocations, type Revocations } from '@hushryd/tracking/revocations/revocations';
import { createRuns, type Runs } from '@hushryd/tracking/runs/allot-run';
import { createOfferRun, type OfferRun } from '@hushryd/tracking/runs/offer-run';
import { type AccessCache, createAccessCache } from '@hushryd/tracking/trip-access/access-cache';
import { type AccessPublisher, createAccessPublisher } from '@hushryd/tracking/trip-access/publish-access';
import type { ApiConfig } from './config.ts';
import { createTripStreams, type TripStreams } from './trip-events/trip-streams.ts';

/** What a node of the api knows of trips and drivers as they move: all of it from Redis. */
export interface LiveParts {
  access: AccessCache;
  publisher: AccessPublisher;
  revocations: Revocations;
  driverStates: DriverStates;
  positions: PositionReader;
  livePositions: LivePositions;
  nearby: NearbyIndex;
  passingIds: PassingIds;
  tripStreams: TripStreams;
  historyPaces: HistoryPaces;
  runs: Runs;
  offerRun: OfferRun;
  batcher: FixBatcher;
}

/** A Redis that is there and fails over is waited for so long. */
const withinMs = 10_000;

/**
 * Follow the feeds of Redis. Ready when this resolves: the live positions have been read. Each thing that is started is closed by
 * `lifecycle`. Where Redis is away they start once it has come, and until then requests for what they know are refused.
 *
 * @param resolveTrips who may watch these trips, from the truth
 * @param readRevocations what of tokens is void, from the truth
 */
export async function openLive(
  config: Pick<ApiConfig, 'batch' | 'eventStreams'>,
  {
    connections,
    keys,
    resolveTrips,
    readRevocations,
    lifecycle,
    telemetry,
    log,
  }: {
    connections: RedisConnections;
    keys: Keys;
    resolveTrips: Parameters<typeof createAccessCache>[0]['resolve'];
    readRevocations: Parameters<typeof createRevocations>[0]['readTruth'];
    lifecycle: Lifecycle;
    telemetry: Telemetry;
    log: Logger;
  },
): Promise<LiveParts> {
  const redis = connections.commands;
  const follower = createAccessFollower({ redis, keys, log });
  const access = createAccessCache({
    connections,
    keys,
    follower,
    resolve: resolveTrips,
    onChange: (record) => tripStreams.onAccess(record),
    log,
    telemetry,
  });
  const revocations = createRevocations({ redis, keys, follower, readTruth: readRevocations, log });
  lifecycle.add('access logs', () => follower.close());

  const livePositions = createLivePositions({ connections, keys, log, telemetry });
  const nearby = createNearbyIndex();
  livePositions.onChange((driverId, position) => {
    if (position === undefined) nearby.remove(driverId);
    else nearby.upsert(position);
  });
  lifecycle.add('live positions', () => livePositions.close());

  const positions = createPositionReader({ redis, keys });
  const tripStreams = createTripStreams({
    connections,
    keys,
    access,
    revocations,
    livePositions,
    positions,
    limits: config.eventStreams,
    log,
    telemetry,
  });
  lifecycle.add('event streams', () => tripStreams.close());

  const historyPaces = createHistoryPaces(keys.driverPartition);
  const durableFeed = createDurableFeed({ connections, keys, ...historyPaces, log });
  lifecycle.add('durable feed', () => durableFeed.close());

  // The first of them asks the truth for what of tokens is void, where Redis cannot say.
  const stopStarting = await startInTurn(
    [
      { name: 'access logs', start: follower.start },
      { name: 'live positions', start: livePositions.start },
      { name: 'event streams', start: tripStreams.start },
      { name: 'durable feed', start: durableFeed.start },
    ],
    { withinMs: connections.isAdmitted ? withinMs : 0, log },
  );
  lifecycle.add('start of live parts', stopStarting);

  const runs = createRuns({ redis, keys });
  const batcher = createFixBatcher({
    write: createWriteBatch({ redis, keys }),
    partitionOf: keys.driverPartition,
    settings: config.batch,
    telemetry,
    onDegraded: (err) => log.warn({ err }, 'fixes wait for Redis'),
    onRestored: () => log.info({}, 'fixes are written again'),
  });
  lifecycle.add('fix batcher', () => batcher.close(2_000));

  return {
    access,
    publisher: createAccessPublisher({ redis, keys }),
    revocations,
    driverStates: createDriverStates({ redis, keys }),
    positions,
    livePositions,
    nearby,
    passingIds: createPassingIds({ redis, keys }),
    tripStreams,
    historyPaces,
    runs,
    offerRun: createOfferRun({ reader: positions, runs }),
    batcher,
  };
}
