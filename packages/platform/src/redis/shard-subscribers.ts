import { type Cluster, Command, type Redis } from 'ioredis';

/** What ioredis keeps of sharded subscriptions on a cluster: one connection to each primary. Private to it; topologies.test.ts notices a change. */
interface SubscriberGroup {
  isResetting: boolean;
  getResponsibleSubscriber(slot: number): { getInstance(): Redis | null } | undefined;
}

type SentCommand = Parameters<Redis['sendCommand']>[0];

/**
 * End the connection that a channel's messages come by. ioredis then asks for the slots, connects to whoever has them now and
 * subscribes again; connections to other primaries stay.
 */
export function reconnectShard(cluster: Cluster, channel: string): void {
  const subscriber = subscriberOf(cluster, new Command('ssubscribe', [channel]));
  if (subscriber) subscriber.disconnect();
  else refreshSlots(cluster);
}

/**
 * Let ioredis build its connections for subscriptions from the slots as they are now.
 *
 * It does so by itself, one time after another, and awaits each connection that it begins: also one that it has thrown away meanwhile,
 * whose end nobody tells it any more. From then on it waits for ever (a hung primary that came back, measured); here it stops.
 */
export function renewSubscribers(cluster: Cluster): void {
  groupOf(cluster).isResetting = false;
  refreshSlots(cluster);
}

/**
 * Subscribe once more to a channel that the cluster's connections know already: ioredis itself would put it on its list a second time.
 *
 * @returns false where there is no such connection
 */
export function subscribeKnownChannel(cluster: Cluster, command: SentCommand): boolean {
  const subscriber = subscriberOf(cluster, command);
  if (!subscriber) return false;
  void subscriber.sendCommand(command);
  return true;
}

function subscriberOf(cluster: Cluster, command: { getSlot(): number | null }): Redis | null | undefined {
  const slot = command.getSlot();
  if (slot === null || cluster.status !== 'ready') return undefined;
  return groupOf(cluster).getResponsibleSubscriber(slot)?.getInstance();
}

function groupOf(cluster: Cluster): SubscriberGroup {
  return (cluster as unknown as { shardedSubscribers: SubscriberGroup }).shardedSubscribers;
}

function refreshSlots(cluster: Cluster): void {
  (cluster as unknown as { refreshSlotsCache(): void }).refreshSlotsCache();
}
