import type { QueueName } from '../queues/queue-names.ts';
import { partitionOf } from './partition.ts';

/**
 * Every Redis key and channel of HushRyd, spelled here and nowhere else. docs/redis-keys.md explains each.
 *
 * All begin with the prefix, channels too: database numbers separate nothing in pub/sub. `{p07}` tags what belongs to a driver,
 * `{t07}` what belongs to a topic; a script touches one tag only, so it stays in its slot on a cluster.
 */
export interface Keys {
  readonly prefix: string;
  readonly partitions: number;

  /** Partition of a driver, 0 ≤ p < partitions. */
  driverPartition(driverId: string): number;
  /** Partition of a topic, 0 ≤ t < partitions. A trip's access record lies in the partition of its topic. */
  topicPartition(topic: string): number;

  /** Hash, driver → packed position. */
  positions(p: number): string;
  /** Counter of the position feed's messages. */
  positionFeedNumber(p: number): string;
  /** Channel of packed, numbered positions. */
  positionFeed(p: number): string;
  /** Hash, driver → declared state with version. */
  driverStates(p: number): string;
  /** Hash, driver → trip that was told of his silence. */
  silentDrivers(p: number): string;
  /** Hash, driver → newest run allotted. */
  runs(p: number): string;
  /** Stream of packed batches on their way to MongoDB. */
  fixes(p: number): string;
  /** Hash, `driver:run` → how far the run is durable. */
  durable(p: number): string;
  /** Channel that tells nodes what became durable and what to ask for again. */
  durableFeed(p: number): string;
  /** Lease of the worker that moves this partition into MongoDB. */
  historyOwner(p: number): string;

  /** What the partitioning was when the data was written; processes that differ refuse to start. */
  layout(t: number): string;
  /** There once a worker has put back all that MongoDB knows of this partition; gone where Redis was emptied. */
  filled(t: number): string;
  /** Trip access record, JSON. */
  tripAccess(tripId: string): string;
  /** Stream of access changes, kept 10 minutes. */
  accessLog(t: number): string;
  /** What the worker writes again and again: where it stands still, nobody can write into the access log. */
  accessLogBeat(t: number): string;
  /** Hash, user → revoked tokens, JSON. */
  revocations(t: number): string;
  /** Counter of the access log's entries. */
  accessLogNumber(t: number): string;
  /** Hash with a topic's epoch and offset. */
  topicHead(topic: string): string;
  /** Stream of a topic's newest events. */
  topicEvents(topic: string): string;
  /** Counter of the event feed's messages. */
  eventFeedNumber(t: number): string;
  /** Channel of all events of the partition's topics. */
  eventFeed(t: number): string;

  /** Single-use ticket of a browser's websocket, by the ticket's hash. */
  ticket(hash: string): string;
  /** Sorted set of a user's open sockets, scored by when their lease ends. */
  userSockets(userId: string): string;
  /** Sorted set of the realtime nodes that are up, scored by when their lease ends; sockets of others are gone. */
  realtimeNodes(): string;
  /** Sorted set of the workers that are up, scored by when their lease ends. */
  workers(): string;
  /** What a realtime node says of itself, JSON; gone when it has not said it for a while. */
  realtimeNode(nodeId: string): string;
  /** Lease of a periodic duty that one worker at a time performs. */
  duty(name: string): string;
  /** Stream of alerts that a node accepted while MongoDB did not answer. */
  sosIntake(): string;
  /** Who takes care of an alert that MongoDB does not have yet. Shares its slot with `sosStored`. */
  sosAcknowledged(alertId: string): string;
  /** Somebody has brought an alert to MongoDB that another node may be sending. */
  sosStored(alertId: string): string;
  /** List: the newest entries of that stream that nobody could read. */
  sosIntakeBad(): string;
  /** Hash: an alert that is followed: whose, on which trip, in which state, and where it was last. */
  sosTracking(alertId: string): string;
  /** Hash: cached emergency contacts of a person, encrypted, with their version. */
  contacts(userId: string): string;
  /** Hash: the cached rota of who is on call. */
  onCall(): string;
  /** Secret from which the drivers' passing ids for riders are made; changes every ten minutes. */
  nearbySalt(): string;
  /** Hash, process → how the outside companies did for it lately, JSON. */
  scorecards(): string;
  /** Begins everything that BullMQ keeps of a queue, tagged so that its scripts stay in one slot; `:<queue>:…` follows. */
  queuePrefix(queue: QueueName): string;
}

/**
 * Channel on which a connection hears itself: in the slot of a channel that it is subscribed to, so that it comes the same way.
 *
 * @param name of the connection, known to nobody else
 */
export const probeChannel = (subscribed: string, name: string): string => `${subscribed}:probe:${name}`;

/** @param partitions how many; the same number for drivers and topics, 1–99 */
export function createKeys({ prefix, partitions }: { prefix: string; partitions: number }): Keys {
  const tag = (letter: 'p' | 't', index: number) => `${prefix}{${letter}${String(index).padStart(2, '0')}}`;
  const p = Array.from({ length: partitions }, (_, index) => tag('p', index));
  const t = Array.from({ length: partitions }, (_, index) => tag('t', index));
  const topicTag = (topic: string) => t[partitionOf(topic, partitions)];

  return {
    prefix,
    partitions,
    driverPartition: (driverId) => partitionOf(driverId, partitions),
    topicPartition: (topic) => partitionOf(topic, partitions),

    positions: (index) => `${p[index]}:positions`,
    positionFeedNumber: (index) => `${p[index]}:positions:n`,
    positionFeed: (index) => `${p[index]}:positions`,
    driverStates: (index) => `${p[index]}:driver-states`,
    silentDrivers: (index) => `${p[index]}:silent-drivers`,
    runs: (index) => `${p[index]}:runs`,
    fixes: (index) => `${p[index]}:fixes`,
    durable: (index) => `${p[index]}:durable`,
    durableFeed: (index) => `${p[index]}:durable`,
    historyOwner: (index) => `${p[index]}:history-owner`,

    layout: (index) => `${t[index]}:layout`,
    filled: (index) => `${t[index]}:filled`,
    tripAccess: (tripId) => `${topicTag(`trip:${tripId}`)}:access:${tripId}`,
    accessLog: (index) => `${t[index]}:access-log`,
    accessLogBeat: (index) => `${t[index]}:access-log:beat`,
    revocations: (index) => `${t[index]}:revocations`,
    accessLogNumber: (index) => `${t[index]}:access-log:n`,
    topicHead: (topic) => `${topicTag(topic)}:head:${topic}`,
    topicEvents: (topic) => `${topicTag(topic)}:events:${topic}`,
    eventFeedNumber: (index) => `${t[index]}:events:n`,
    eventFeed: (index) => `${t[index]}:events`,

    ticket: (hash) => `${prefix}ticket:${hash}`,
    userSockets: (userId) => `${prefix}sockets:${userId}`,
    realtimeNodes: () => `${prefix}realtime-nodes`,
    realtimeNode: (nodeId) => `${prefix}realtime-node:${nodeId}`,
    workers: () => `${prefix}workers`,
    duty: (name) => `${prefix}duty:${name}`,
    sosIntake: () => `${prefix}sos:intake`,
    sosAcknowledged: (alertId) => `${prefix}sos:{${alertId}}:acknowledged`,
    sosStored: (alertId) => `${prefix}sos:{${alertId}}:stored`,
    sosIntakeBad: () => `${prefix}sos:intake:bad`,
    sosTracking: (alertId) => `${prefix}sos:tracking:${alertId}`,
    contacts: (userId) => `${prefix}contacts:${userId}`,
    onCall: () => `${prefix}on-call`,
    nearbySalt: () => `${prefix}nearby-salt`,
    scorecards: () => `${prefix}scorecards`,
    queuePrefix: (queue) => `${prefix}{q-${queue}}`,
  };
}
