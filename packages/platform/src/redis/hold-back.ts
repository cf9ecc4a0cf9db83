import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { NotSentError } from './unavailable.ts';

/**
 * Keep a client that is not connected yet from its server: until it is released it refuses every command at once, as where the server is
 * away. It has to be made with `lazyConnect`: the commands by which ioredis itself opens a connection come this way too.
 *
 * @returns connects, and lets commands through from then on
 */
export function holdBack(client: RedisClient): () => void {
  let isHeld = true;
  const send = client.sendCommand.bind(client) as Redis['sendCommand'];
  const sendUnlessHeld: typeof send = (command, ...rest) => {
    if (!isHeld) return send(command, ...rest);
    command.reject(new NotSentError('Redis has not been looked at yet'));
    return command.promise;
  };
  client.sendCommand = sendUnlessHeld;

  return () => {
    isHeld = false;
    // A pipeline connects a cluster by itself. What fails is tried again for ever, and logged there.
    if (client.status === 'wait') client.connect().catch(() => undefined);
  };
}
