import { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';

const PROBE_EVERY_MS = 1_000;

/**
 * Notice a subscription that hears nothing because its server hangs, and subscribe again when the connection is back.
 *
 * An idle subscriber sends nothing, so a hung server would go unnoticed for ever: an unanswered PING tears the connection down (its
 * socket timeout). ioredis subscribes again by itself, but drops the error of that; here it means: reconnect and try again. On a
 * cluster ioredis keeps one subscriber per primary and replaces those that fail.
 */
export function keepSubscribed(client: RedisClient): RedisClient {
  if (!(client instanceof Redis)) return client;

  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    if (command.name === 'ssubscribe') {
      command.promise.catch(() => {
        if (client.status === 'ready') client.disconnect(true);
      });
    }
    return send(command, stream);
  };

  const probe = setInterval(() => {
    if (client.status === 'ready') client.ping().catch(() => client.disconnect(true));
  }, PROBE_EVERY_MS);
  probe.unref();
  client.once('end', () => clearInterval(probe));
  return client;
}
