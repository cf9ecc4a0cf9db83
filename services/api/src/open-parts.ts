import { createDeliveryDesk } from '@hushryd/outreach/delivery/delivery';
import { readScorecards } from '@hushryd/outreach/delivery/scorecard-exchange';
import { createScorecards, type Scorecard } from '@hushryd/outreach/delivery/scorecards';
import { openDispatch } from '@hushryd/outreach/dispatch/open-dispatch';
import { createSendOtp } from '@hushryd/outreach/notifications/send-otp';
import type { SendOtp } from '@hushryd/outreach/people/codes/send-otp';
import { createTrackedAlerts } from '@hushryd/outreach/trail/tracked-alerts';
import { createTickets, type Tickets } from '@hushryd/platform/auth/tickets';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
import { startPatiently } from '@hushryd/platform/lifecycle/start-patiently';
import type { Logger } from '@hushryd/platform/logging/logger';
import { connectMongo } from '@hushryd/platform/mongo/connect';
import { createRealtimeNodes, type RealtimeNodes } from '@hushryd/platform/nodes/realtime-nodes';
import { connectRedis } from '@hushryd/platform/redis/connect';
import { createKeys } from '@hushryd/platform/redis/keys';
import { assertLayout } from '@hushryd/platform/redis/layout';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { createPublishEvent, type PublishEvent } from '@hushryd/platform/topics/publish-event';
import { createProviders } from '@hushryd/providers/providers';
import { createDriverStore, type DriverStore } from '@hushryd/rides/people/driver-store';
import { createRevocationStore, type RevocationStore } from '@hushryd/rides/people/revocation-store';
import type { SignOutWork } from '@hushryd/rides/people/sign-out';
import { createTripAnnouncer } from '@hushryd/rides/trips/announce-trip';
import type { TripWork } from '@hushryd/rides/trips/change-trip';
import { createTripStore, type TripStore } from '@hushryd/rides/trips/trip-store';
import type { AcceptLimits } from '@hushryd/tracking/accept-fix';
import { createAccessFollower } from '@hushryd/tracking/access-log/access-follower';
import { createDriverStates, type DriverStates } from '@hushryd/tracking/driver-state/driver-states';
import { createLivePositions, type LivePositions } from '@hushryd/tracking/feed/live-positions';
import { createFixBatcher, type FixBatcher } from '@hushryd/tracking/fix-batcher';
import { createDurableFeed } from '@hushryd/tracking/history/durable-feed';
import { createHistoryPaces, type HistoryPaces } from '@hushryd/tracking/history/history-paces';
import { createTrackReader, type TrackReader } from '@hushryd/tracking/history/read-track';
import { createRoadStore, type RoadStore } from '@hushryd/tracking/history/road-store';
import { createNearbyIndex, type NearbyIndex } from '@hushryd/tracking/nearby/nearby-index';
import { createPassingIds, type PassingIds } from '@hushryd/tracking/nearby/passing-ids';
import { createPositionReader, type PositionReader } from '@hushryd/tracking/positions/read-position';
import { createWriteBatch } from '@hushryd/tracking/positions/write-batch';
import { createRevocationPublisher } from '@hushryd/tracking/revocations/revocation-publisher';
import { createRevocations, type Revocations } from '@hushryd/tracking/revocations/revocations';
import { createRuns, type Runs } from '@hushryd/tracking/runs/allot-run';
import { createOfferRun, type OfferRun } from '@hushryd/tracking/runs/offer-run';
import { type AccessCache, createAccessCache } from '@hushryd/tracking/trip-access/access-cache';
import { type AccessPublisher, createAccessPublisher } from '@hushryd/tracking/trip-access/publish-access';
import type { ApiConfig } from './config.ts';
import { type Notifications, openNotifications } from './notifications/open-notifications.ts';
import { openPeople, type PeopleParts } from './open-people.ts';
import type { HealthChecks } from './plugins/health.ts';
import { type DrillParts, openDrills } from './sos/open-drills.ts';
import { openSos, type SosGuards, type SosParts } from './sos/open-sos.ts';
import { openTimeline, type TimelineParts } from './sos/open-timeline.ts';
import { openTrail, type TrailParts } from './sos/open-trail.ts';
import { toSosPeople } from './sos/sos-people.ts';
import { createTripStreams, type TripStreams } from './trip-events/trip-streams.ts';
import { createEndConnection, type EndConnection } from './users/end-connection.ts';

/** What the features work with. */
export interface ApiParts {
  log: Logger;
  telemetry: Telemetry;
  trips: TripStore;
  drivers: DriverStore;
  work: TripWork;
  access: AccessCache;
  publisher: AccessPublisher;
  driverStates: DriverStates;
  positions: PositionReader;
  livePositions: LivePositions;
  tripStreams: TripStreams;
  nearby: NearbyIndex;
  passingIds: PassingIds;
  runs: Runs;
  offerRun: OfferRun;
  historyPaces: HistoryPaces;
  batcher: FixBatcher;
  acceptLimits: AcceptLimits;
  track: TrackReader;
  roads: RoadStore;
  tickets: Tickets;
  revocations: Revocations;
  revocationStore: RevocationStore;
  signOut: Omit<SignOutWork, 'log'>;
  realtimeNodes: RealtimeNodes;
  endConnection: EndConnection;
  publishEvent: PublishEvent;
  timeline: TimelineParts;
  sos: SosParts & TrailParts & DrillParts;
  people: PeopleParts;
  notifications: Notifications;
  readScorecards: () => Promise<Scorecard[]>;
  pings: HealthChecks['dependencies'];
}

/**
 * Connect to the stores and build on them what the features need; each thing that is started is closed by `lifecycle`, the newest
 * first. Ready when this resolves: the live positions have been read.
 *
 * @throws ConfigError (Redis holds data laid out otherwise), AppError `redis_unavailable`. MongoDB may be away: requests that need it
 *   fail until it is back.
 */
export async function openParts(
  config: Pick<
    ApiConfig,
    | 'redis'
    | 'mongo'
    | 'region'
    | 'acceptLimits'
    | 'batch'
    | 'eventStreams'
    | 'sos'
    | 'sosRedis'
    | 'fieldKeys'
    | 'providers'
    | 'delivery'
    | 'dispatch'
    | 'canary'
    | 'notifications'
  >,
  {
    log,
    telemetry,
    lifecycle,
    guards,
    sendOtp,
  }: {
    log: Logger;
    telemetry: Telemetry;
    lifecycle: Lifecycle;
    guards?: SosGuards | undefined;
    sendOtp?: SendOtp | undefined;
  },
): Promise<ApiParts> {
  const mongo = connectMongo({ settings: config.mongo, log });
  lifecycle.add('mongodb', () => mongo.close());
  const connections = await connectRedis({ settings: config.redis, role: 'live', log, telemetry });
  lifecycle.add('redis', () => connections.close());
  const redis = connections.commands;
  const keys = createKeys(config.redis);
  await startPatiently(() => assertLayout({ redis, keys }));

  // A write that is not answered is tried a second time: the two share the deadline.
  const deadlineMs = config.mongo.deadlineMs / 2;
  const { db } = mongo;
  const trips = createTripStore({ db, deadlineMs });
  const publisher = createAccessPublisher({ redis, keys });
  const driverStates = createDriverStates({ redis, keys });

  const follower = createAccessFollower({ redis, keys, log });
  const access = createAccessCache({
    connections,
    keys,
    follower,
    resolve: (tripIds) => trips.tripAccessByIds(tripIds),
    onChange: (record) => tripStreams.onAccess(record),
    log,
    telemetry,
  });
  const revocationStore = createRevocationStore({ db, deadlineMs });
  const revocations = createRevocations({
    redis,
    keys,
    follower,
    readTruth: () => revocationStore.inForce({ nowMs: Date.now() }),
    log,
  });
  await startPatiently(() => follower.start());
  lifecycle.add('access logs', () => follower.close());
  const realtimeNodes = createRealtimeNodes({ redis, keys });

  const livePositions = createLivePositions({ connections, keys, log, telemetry });
  const nearby = createNearbyIndex();
  livePositions.onChange((driverId, position) => {
    if (position === undefined) nearby.remove(driverId);
    else nearby.upsert(position);
  });
  await startPatiently(() => livePositions.start());
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
  await startPatiently(() => tripStreams.start());
  lifecycle.add('event streams', () => tripStreams.close());

  const historyPaces = createHistoryPaces(keys.driverPartition);
  const durableFeed = createDurableFeed({ connections, keys, ...historyPaces, log });
  await startPatiently(() => durableFeed.start());
  lifecycle.add('durable feed', () => durableFeed.close());

  const providers = createProviders(config.providers);
  lifecycle.add('providers', () => providers.close());
  await providers.warmUp();
  const notifications = await openNotifications(config, {
    db,
    deadlineMs,
    keys,
    providers,
    lifecycle,
    telemetry,
    log,
  });

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

  const publishEvent = createPublishEvent({ redis, keys });
  const codes = sendOtp ?? (notifications.notify && createSendOtp(notifications.notify));
  const people = openPeople({ db, redis, keys, fieldKeys: config.fieldKeys, deadlineMs, sendOtp: codes, log });
  const timeline = openTimeline({ db, deadlineMs, telemetry, log, lifecycle });
  const sosPeople = toSosPeople({ people, cipher: createFieldCipher(config.fieldKeys) });
  const tracked = createTrackedAlerts({ redis, keys });
  const sos = await openSos({
    settings: config.sos,
    redis: config.sosRedis,
    mongo: config.mongo,
    region: config.region,
    people: sosPeople,
    publishEvent,
    timeline: timeline.timeline,
    tracked,
    dispatch: config.dispatch,
    usesQueue: config.notifications.usesQueue,
    openDispatch: (own) => {
      const scorecards = createScorecards({ telemetry });
      return openDispatch({
        ...own,
        redis,
        keys,
        fieldKeys: config.fieldKeys,
        providers,
        desk: createDeliveryDesk({ settings: config.delivery, scorecards, telemetry, log, now: notifications.now }),
        settings: config.dispatch,
        delivery: config.delivery,
        vendors: config.notifications,
        telemetry,
        log,
      });
    },
    ...(guards && { guards }),
    log,
    telemetry,
    lifecycle,
  });
  const trail = openTrail({
    ...sos,
    readOutreachList: sosPeople.readOutreachList,
    tracked,
    db,
    redis,
    keys,
    access,
    positions,
    limits: config.acceptLimits,
    deadlineMs,
    sharePageUrl: config.dispatch.sharePageUrl,
    fieldKeys: config.fieldKeys,
    log,
  });
  const drills = openDrills({
    canary: config.canary,
    sos,
    book: people.book,
    db,
    redis,
    keys,
    deadlineMs,
    telemetry,
    lifecycle,
    log,
  });
  // What only this node knows is asked first: it needs no database.
  notifications.directTakers.push(sos.direct.takeReceiptAlone);
  notifications.takers.unshift(sos.direct.takeReceipt);
  notifications.takers.push(sos.dispatch.takeReceipt);
  notifications.voicePrompts.unshift(sos.direct.readPrompt);
  notifications.voicePrompts.push(sos.dispatch.readPrompt);

  return {
    log,
    telemetry,
    trips,
    drivers: createDriverStore({ db, region: config.region, deadlineMs: config.mongo.deadlineMs }),
    work: { store: trips, announce: createTripAnnouncer({ publisher, driverStates, log }) },
    access,
    publisher,
    driverStates,
    positions,
    livePositions,
    tripStreams,
    nearby,
    passingIds: createPassingIds({ redis, keys }),
    runs,
    offerRun: createOfferRun({ reader: positions, runs }),
    historyPaces,
    batcher,
    acceptLimits: config.acceptLimits,
    track: createTrackReader({ redis, keys, db, deadlineMs: config.mongo.deadlineMs }),
    roads: createRoadStore({ db, deadlineMs: config.mongo.deadlineMs }),
    tickets: createTickets({ redis, keys }),
    revocations,
    revocationStore,
    signOut: { store: revocationStore, publisher: createRevocationPublisher({ redis, keys }) },
    realtimeNodes,
    endConnection: createEndConnection({ redis, keys, realtimeNodes }),
    publishEvent,
    people,
    timeline,
    sos: { ...sos, ...trail, ...drills },
    notifications,
    readScorecards: () => readScorecards({ redis, keys }),
    pings: { redis: connections.ping, mongodb: mongo.ping },
  };
}
