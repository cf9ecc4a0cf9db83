import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Logger } from '../logging/logger.ts';
import type { RedisClient } from './client.ts';
import { probeChannel } from './keys.ts';
import { reconnectShard, renewSubscribers, subscribeKnownChannel } from './shard-subscribers.ts';

const probeEveryMs = 1_000;
/** A shard whose subscription starves on after so many new connections needs more than that. */
const maxShardReconnects = 2;

/** One way that messages take: a connection to one server, on a cluster the slot of one hash tag. */
interface Probe {
  /** A channel that was asked for, which names the slot. */
  readonly subscribed: string;
  readonly channel: string;
  /** The channel is subscribed. */
  isReady: boolean;
  /** The server took the last probe. */
  wasTaken: boolean;
  /** Anything came this way since. */
  wasHeard: boolean;
  /** Times in a row that it was found starved. */
  starvedCount: number;
  /** A new connection gets one round to subscribe again. */
  isSettling: boolean;
}

export interface ProbeOptions {
  /** Over the connection for commands, never over this one. */
  publish: (channel: string) => Promise<unknown>;
  /** Counted where messages did not arrive. */
  onStarved: () => void;
  log: Logger;
}

/**
 * Notice a subscription that hears nothing, and subscribe again over a new connection.
 *
 * A hung server answers nothing: PING tears the connection down (its socket timeout; an idle subscriber sends nothing by itself). A
 * subscriber on a detached replica, on a node that lost the slot, or one whose SSUBSCRIBE went wrong after a reconnect is worse off:
 * PING is answered and nothing is delivered. So each subscriber publishes to itself once a second; what the server took
 * and nobody heard a second later means: connect anew. Through Sentinel that asks for the primary again, on a cluster for the slots, and
 * only the starved shard's connection is replaced. Messages of that time are lost: see numbered-feed.ts.
 *
 * Cost: one SPUBLISH a second, on a cluster one for every hash tag that is subscribed to.
 */
export function keepSubscribed(client: RedisClient, { publish, onStarved, log }: ProbeOptions): RedisClient {
  const name = randomBytes(6).toString('hex');
  const probes = new Map<string, Probe>();
  const probeByChannel = new Map<string, Probe>();

  watchSubscriptions(client, { isKnown: (channel) => probeByChannel.has(channel), onSubscribed: addChannel });

  client.on('smessageBuffer', (channel: Buffer) => {
    const probe = probeByChannel.get(channel.toString('latin1'));
    if (probe !== undefined) probe.wasHeard = true;
  });
  client.on('ready', () => {
    for (const probe of probes.values()) probe.isSettling = true;
    // A connection lost before the answers have come loses the channels too: ioredis remembers those alone that were confirmed.
    if (client instanceof Redis) for (const channel of probeByChannel.keys()) client.ssubscribe(channel).catch(ignore);
  });

  function addChannel(channel: string): void {
    if (probeByChannel.has(channel)) return;
    const way = client instanceof Redis ? '' : hashTagOf(channel);
    const known = probes.get(way);
    if (known !== undefined) {
      probeByChannel.set(channel, known);
      return;
    }
    const probe: Probe = {
      subscribed: channel,
      channel: probeChannel(channel, name),
      isReady: false,
      wasTaken: false,
      wasHeard: false,
      starvedCount: 0,
      isSettling: false,
    };
    probes.set(way, probe);
    probeByChannel.set(channel, probe);
    probeByChannel.set(probe.channel, probe);
    subscribeProbe(probe);
  }

  function subscribeProbe(probe: Probe): void {
    client.ssubscribe(probe.channel).then(
      () => {
        probe.isReady = true;
      },
      () => undefined, // Tried again with the next round.
    );
  }

  function round(): void {
    if (client instanceof Redis && client.status === 'ready') client.ping().catch(() => client.disconnect(true));
    // A process that was held up finds its timers due before it has read what came meanwhile.
    setImmediate(() => {
      for (const probe of probes.values()) look(probe);
    });
  }

  function look(probe: Probe): void {
    if (!probe.isReady) {
      subscribeProbe(probe);
      return;
    }
    const isStarved = probe.wasTaken && !probe.wasHeard && !probe.isSettling;
    if (probe.wasHeard) probe.starvedCount = 0;
    probe.isSettling = false;
    probe.wasTaken = false;
    probe.wasHeard = false;
    if (isStarved) connectAnew(probe);
    else send(probe);
  }

  function send(probe: Probe): void {
    publish(probe.channel).then(
      () => {
        probe.wasTaken = true;
      },
      () => undefined, // The server is away: nothing can be said of the subscription.
    );
  }

  function connectAnew(probe: Probe): void {
    onStarved();
    const isFirst = [...probes.values()].every(({ starvedCount }) => starvedCount === 0);
    if (isFirst) log.warn({ channel: probe.subscribed }, 'a subscription delivers nothing, connecting anew');
    probe.starvedCount += 1;
    probe.isSettling = true;
    if (client instanceof Redis) client.disconnect(true);
    else if (probe.starvedCount > maxShardReconnects) renewSubscribers(client);
    else reconnectShard(client, probe.subscribed);
  }

  const timer = setInterval(round, probeEveryMs);
  timer.unref();
  client.once('end', () => clearInterval(timer));
  return client;
}

/**
 * See each SSUBSCRIBE, those that ioredis sends by itself after a reconnect too. It drops the errors of these; here one means: connect
 * again.
 */
function watchSubscriptions(
  client: RedisClient,
  { isKnown, onSubscribed }: { isKnown: (channel: string) => boolean; onSubscribed: (channel: string) => void },
): void {
  const send = client.sendCommand.bind(client) as Redis['sendCommand'];
  const sendWatched: typeof send = (command, ...rest) => {
    if (command.name !== 'ssubscribe') return send(command, ...rest);
    const channels = command.args.map(String);
    command.promise.then(
      () => {
        for (const channel of channels) onSubscribed(channel);
      },
      () => {
        if (client instanceof Redis && client.status === 'ready') client.disconnect(true);
      },
    );
    if (!(client instanceof Redis) && channels.every(isKnown) && subscribeKnownChannel(client, command)) {
      return command.promise;
    }
    return send(command, ...rest);
  };
  client.sendCommand = sendWatched;
}

/** It was seen already: see watchSubscriptions. */
const ignore = (): void => undefined;

/** What decides about the slot. */
const hashTagOf = (channel: string): string => /\{([^}]+)\}/.exec(channel)?.[1] ?? channel;
