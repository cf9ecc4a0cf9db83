import type { Readable } from 'node:stream';
import type { TripAccess } from '@hushryd/contracts/http/trip-access';
import { tripTopic } from '@hushryd/contracts/realtime/topics';
import type { Identity } from '@hushryd/platform/auth/claims';
import { AppError } from '@hushryd/platform/errors/app-error';
import { createPeriodic } from '@hushryd/platform/lifecycle/periodic';
import type { Logger } from '@hushryd/platform/logging/logger';
import type { RedisConnections } from '@hushryd/platform/redis/connect';
import type { Keys } from '@hushryd/platform/redis/keys';
import type { Telemetry } from '@hushryd/platform/telemetry/telemetry';
import { createEventFeed } from '@hushryd/platform/topics/event-feed';
import type { TopicHead } from '@hushryd/platform/topics/event-log';
import { createRecoverEvents } from '@hushryd/platform/topics/recover-events';
import { createTopicFollower } from '@hushryd/platform/topics/topic-follower';
import type { LivePositions } from '@hushryd/tracking/feed/live-positions';
import type { PositionReader } from '@hushryd/tracking/positions/read-position';
import type { Revocations } from '@hushryd/tracking/revocations/revocations';
import type { AccessCache } from '@hushryd/tracking/trip-access/access-cache';
import { mayWatchTrip } from '@hushryd/tracking/trip-access/access-rules';
import { withinDeadline } from '../within-deadline.ts';
import { createStreamMetrics } from './stream-metrics.ts';
import { createStreamPlaces } from './stream-places.ts';
import { createTripStream, type PollWish, type TripStream } from './trip-stream.ts';

export interface StreamRequest {
  identity: Identity;
  tripId: string;
  seen: TopicHead | undefined;
  poll?: PollWish | undefined;
}

export interface TripStreams {
  /** @throws AppError `redis_unavailable` */
  start(): Promise<void>;
  close(): Promise<void>;
  /**
   * What the trip's room says to this caller, from the event after `seen` on; ends when it may not be watched any longer.
   *
   * @throws AppError `not_found` (unknown, somebody else's, or over), `draining`, `too_many_streams`, `node_full`, `access_unavailable`,
   *   `redis_unavailable`
   */
  open(request: StreamRequest): Promise<Readable>;
  /** From the access cache: a watched trip's record changed. */
  onAccess(access: TripAccess): void;
  /** Send everybody away, with hints spread so that they do not come back in a crowd. Nobody is let in any more. */
  drain(): void;
}

const tickEveryMs = 500;
/** As for sockets: a handful of clients needs no seconds to come back, a multitude is spread over several. */
const minReturnsPerSecond = 500;
const maxReturnSpreadMs = 8_000;

/**
 * All event streams of this node: fed by the event feed, the live positions and the trips' access records.
 *
 * Cost: one map look-up for each position of the feed, and one frame encoded for each stream that it concerns.
 */
export function createTripStreams({
  connections,
  keys,
  access,
  revocations,
  livePositions,
  positions,
  limits,
  log,
  telemetry,
  random = Math.random,
}: {
  connections: RedisConnections;
  keys: Keys;
  access: AccessCache;
  revocations: Pick<Revocations, 'of'>;
  livePositions: Pick<LivePositions, 'onChange'>;
  positions: PositionReader;
  limits: { maxStreams: number; maxPerUser: number };
  log: Logger;
  telemetry: Telemetry;
  random?: () => number;
}): TripStreams {
  const places = createStreamPlaces({ ...limits, telemetry });
  const metrics = createStreamMetrics(telemetry);
  const byTopic = new Map<string, Set<TripStream>>();
  const byDriver = new Map<string, Set<TripStream>>();
  const recoverEvents = createRecoverEvents({ redis: connections.commands, keys });
  let isStarted = false;
  let isDraining = false;

  const events = createEventFeed({
    connections,
    keys,
    wants: (topic) => byTopic.has(topic),
    onEvent(message) {
      for (const { follower } of byTopic.get(message.topic) ?? []) follower.offer(message);
    },
    async onGap(partition) {
      const touched = [...byTopic].filter(([topic]) => keys.topicPartition(topic) === partition);
      // A follower that could not read tries again by itself.
      await Promise.all(touched.flatMap(([, streams]) => [...streams].map(({ follower }) => follower.recover())));
    },
    log,
    telemetry,
  });
  const stopListening = livePositions.onChange((driverId, position) => {
    for (const { driver } of byDriver.get(driverId) ?? []) driver.onPosition(position);
  });
  const ticker = createPeriodic({ name: 'tend event streams', everyMs: tickEveryMs, run: tick, log });

  function tick(): void {
    const nowMs = Date.now();
    for (const stream of all()) stream.tick(nowMs);
  }

  function* all(): Iterable<TripStream> {
    for (const streams of byTopic.values()) yield* streams;
  }

  async function enter({ identity, tripId, seen, poll }: StreamRequest): Promise<TripStream> {
    const record = await access.load(tripId);
    if (record === null || !mayWatchTrip(identity, record)) throw new AppError('not_found');
    // From here to where `drain` finds the stream nothing else runs.
    if (isDraining) throw refuseDraining();
    const topic = tripTopic(tripId);
    const stream = createTripStream({
      identity,
      access: record,
      isRevoked: () => revocations.of(identity) !== undefined,
      poll,
      metrics,
      createFollower: (handlers) =>
        createTopicFollower({
          topic,
          readHead: events.head,
          recoverEvents,
          onReadFailed: (err) => log.warn({ err, topic }, 'missed events could not be read'),
          ...handlers,
        }),
    });
    // Known from here on, so that nothing falls between the reads and the feeds.
    add(byTopic, topic, stream);
    add(byDriver, record.driverId, stream);
    stream.body.once('close', () => {
      remove(byTopic, topic, stream);
      remove(byDriver, record.driverId, stream);
    });
    try {
      const [start, position] = await Promise.all([stream.follower.start(seen), positions.read(record.driverId)]);
      if (position !== null) stream.driver.catchUp(position);
      stream.goLive(start);
      return stream;
    } catch (error) {
      stream.body.destroy();
      throw error;
    }
  }

  return {
    async start() {
      await events.start();
      isStarted = true;
      ticker.start();
    },
    async close() {
      stopListening();
      await ticker.close();
      await events.close();
    },
    async open(request) {
      const { identity, tripId } = request;
      if (isDraining) throw refuseDraining();
      if (!isStarted) throw new AppError('redis_unavailable', { detail: 'no event feed yet' });
      const giveBack = places.take(identity.userId);
      // Watched from before the look: no change falls in between.
      access.watch(tripId);
      const leave = () => {
        giveBack();
        access.unwatch(tripId);
      };
      const entering = enter(request);
      entering.then(({ body }) => (body.destroyed ? leave() : body.once('close', leave)), leave);
      try {
        return (await withinDeadline(entering)).body;
      } catch (error) {
        // It may still come, after nobody waits for it.
        entering.then(
          ({ body }) => body.destroy(),
          () => undefined,
        );
        throw error;
      }
    },
    onAccess(record) {
      for (const stream of byTopic.get(tripTopic(record.tripId)) ?? []) stream.onAccess(record);
    },
    drain() {
      isDraining = true;
      const spreadMs = Math.min(maxReturnSpreadMs, (places.taken / minReturnsPerSecond) * 1000);
      for (const stream of [...all()]) stream.drain(Math.round(random() * spreadMs));
    },
  };
}

const refuseDraining = (): AppError => new AppError('draining', { retryAfterMs: 1_000 });

function add(map: Map<string, Set<TripStream>>, key: string, stream: TripStream): void {
  const streams = map.get(key);
  if (streams === undefined) map.set(key, new Set([stream]));
  else streams.add(stream);
}

function remove(map: Map<string, Set<TripStream>>, key: string, stream: TripStream): void {
  const streams = map.get(key);
  if (streams?.delete(stream) && streams.size === 0) map.delete(key);
}
