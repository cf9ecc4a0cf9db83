import { createDeliveryDesk } from '@hushryd/outreach/delivery/delivery';
import { createScorecardTelling, readScorecards } from '@hushryd/outreach/delivery/scorecard-exchange';
import { createScorecards, type Scorecard } from '@hushryd/outreach/delivery/scorecards';
import { openDispatch } from '@hushryd/outreach/dispatch/open-dispatch';
import { readUnknownAlertPrompt } from '@hushryd/outreach/dispatch/read-alert-prompt';
import { createSendOtp } from '@hushryd/outreach/notifications/send-otp';
import type { SendOtp } from '@hushryd/outreach/people/codes/send-otp';
import { createTrackedAlerts } from '@hushryd/outreach/trail/tracked-alerts';
import { createTickets, type Tickets } from '@hushryd/platform/auth/tickets';
import { createFieldCipher } from '@hushryd/platform/crypto/field-cipher';
import type { Lifecycle } from '@hushryd/platform/lifecycle/lifecycle';
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
import { createTrackReader, type TrackReader } from '@hushryd/tracking/history/read-track';
import { createRoadStore, type RoadStore } from '@hushryd/tracking/history/road-store';
import { createRevocationPublisher } from '@hushryd/tracking/revocations/revocation-publisher';
import type { ApiConfig } from './config.ts';
import { type Notifications, openNotifications } from './notifications/open-notifications.ts';
import { type LiveParts, openLive } from './open-live.ts';
import { openPeople, type PeopleParts } from './open-people.ts';
import type { HealthChecks } from './plugins/health.ts';
import { type DrillParts, openDrills } from './sos/open-drills.ts';
import { openSos, type SosGuards, type SosParts } from './sos/open-sos.ts';
import { openTimeline, type TimelineParts } from './sos/open-timeline.ts';
import { openTrail, type TrailParts } from './sos/open-trail.ts';
import { toSosPeople } from './sos/sos-people.ts';
import { createEndConnection, type EndConnection } from './users/end-connection.ts';

/** What the features work with. */
export interface ApiParts extends LiveParts {
  log: Logger;
  telemetry: Telemetry;
  trips: TripStore;
  drivers: DriverStore;
  work: TripWork;
  acceptLimits: AcceptLimits;
  track: TrackReader;
  roads: RoadStore;
  tickets: Tickets;
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

/** How long each connection is waited for at the start once Redis is known to be away. */
const hurriedMs = 250;

/**
 * Connect to the stores and build on them what the features need; each thing that is started is closed by `lifecycle`, the newest
 * first. Ready when this resolves: the live positions have been read.
 *
 * Both stores may be away: requests that need them fail until they are there, and alerts are taken all the same.
 *
 * @throws ConfigError: Redis evicts, or holds data laid out otherwise. One that comes later and does fails `lifecycle`
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
    instanceId,
    guards,
    sendOtp,
  }: {
    log: Logger;
    telemetry: Telemetry;
    lifecycle: Lifecycle;
    instanceId: string;
    guards?: SosGuards | undefined;
    sendOtp?: SendOtp | undefined;
  },
): Promise<ApiParts> {
  const mongo = connectMongo({ settings: config.mongo, log });
  lifecycle.add('mongodb', () => mongo.close());
  const keys = createKeys(config.redis);
  const connections = await connectRedis({
    settings: config.redis,
    role: 'live',
    check: (redis) => assertLayout({ redis, keys }),
    patience: { onRefused: lifecycle.fail },
    log,
    telemetry,
  });
  lifecycle.add('redis', () => connections.close());
  const redis = connections.commands;
  // Where one is away the others most likely are, too, and people may press meanwhile.
  const queueWithinMs = connections.isAdmitted ? undefined : hurriedMs;

  // A write that is not answered is tried a second time: the two share the deadline.
  const deadlineMs = config.mongo.deadlineMs / 2;
  const { db } = mongo;
  const trips = createTripStore({ db, deadlineMs });
  const revocationStore = createRevocationStore({ db, deadlineMs });
  const live = await openLive(config, {
    connections,
    keys,
    resolveTrips: (tripIds) => trips.tripAccessByIds(tripIds),
    readRevocations: (changedSinceMs) =>
      revocationStore.inForce({ nowMs: Date.now(), ...(changedSinceMs !== undefined && { changedSinceMs }) }),
    lifecycle,
    telemetry,
    log,
  });
  const realtimeNodes = createRealtimeNodes({ redis, keys });

  const providers = createProviders(config.providers);
  lifecycle.add('providers', () => providers.close());
  await providers.warmUp();
  const notifications = await openNotifications(config, {
    db,
    deadlineMs,
    keys,
    providers,
    redisWithinMs: queueWithinMs,
    lifecycle,
    telemetry,
    log,
  });

  const publishEvent = createPublishEvent({ redis, keys });
  const codes = sendOtp ?? (notifications.notify && createSendOtp(notifications.notify));
  const { now } = notifications;
  const people = openPeople({ db, redis, keys, fieldKeys: config.fieldKeys, deadlineMs, sendOtp: codes, now, log });
  const timeline = openTimeline({ db, deadlineMs, telemetry, log, lifecycle });
  const sosPeople = toSosPeople({ people, cipher: createFieldCipher(config.fieldKeys) });
  const tracked = createTrackedAlerts({ redis, keys });
  // What this process sends, also by itself while the database is away, is told as what workers send.
  const scorecards = createScorecards({ telemetry });
  const telling = createScorecardTelling({ redis, keys, instanceId, scorecards, log });
  telling.start();
  lifecycle.add('scorecards', () => telling.close());
  const sos = await openSos({
    settings: config.sos,
    redis: config.sosRedis,
    redisWithinMs: queueWithinMs,
    mongo: config.mongo,
    region: config.region,
    people: sosPeople,
    publishEvent,
    timeline: timeline.timeline,
    tracked,
    dispatch: config.dispatch,
    usesQueue: config.notifications.usesQueue,
    openDispatch: (own) =>
      openDispatch({
        ...own,
        redis,
        keys,
        fieldKeys: config.fieldKeys,
        providers,
        desk: createDeliveryDesk({ settings: config.delivery, scorecards, telemetry, log, now }),
        settings: config.dispatch,
        delivery: config.delivery,
        vendors: config.notifications,
        telemetry,
        log,
      }),
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
    access: live.access,
    positions: live.positions,
    limits: config.acceptLimits,
    deadlineMs,
    sharePageUrl: config.dispatch.sharePageUrl,
    mapUrl: config.dispatch.messages.mapUrl,
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
  notifications.voicePrompts.push(sos.dispatch.readPrompt, readUnknownAlertPrompt);

  return {
    log,
    telemetry,
    ...live,
    trips,
    drivers: createDriverStore({ db, region: config.region, deadlineMs: config.mongo.deadlineMs }),
    work: { store: trips, announce: createTripAnnouncer({ ...live, log }) },
    acceptLimits: config.acceptLimits,
    track: createTrackReader({ redis, keys, db, deadlineMs: config.mongo.deadlineMs }),
    roads: createRoadStore({ db, deadlineMs: config.mongo.deadlineMs }),
    tickets: createTickets({ redis, keys }),
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
