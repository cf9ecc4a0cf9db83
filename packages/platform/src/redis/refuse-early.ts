import { Cluster, type Redis } from 'ioredis';
import type { RedisClient } from './client.ts';
import { NotSentError } from './unavailable.ts';

/** Commands that one connection may hold, waiting to be sent or answered. A hung server fills it in under a second. */
export const MAX_WAITING_COMMANDS = 50_000;

/**
 * End a command before it is sent where waiting would not help:
 * the server is gone and one attempt to reconnect has failed already; too many commands are waiting (counted through `onRefused`);
 * or whoever sent it has been told that it failed. ioredis keeps such commands and sends them after a reconnect.
 */
export function refuseEarly(client: RedisClient, { onRefused }: { onRefused: () => void }): void {
  let failedAttempts = 0;
  client.on('reconnecting', () => {
    failedAttempts += 1;
  });
  client.on('ready', () => {
    failedAttempts = 0;
  });

  // In state `connect` the handshake's own commands pass.
  const isGone = (): boolean => failedAttempts > 1 && client.status !== 'ready' && client.status !== 'connect';

  const send = client.sendCommand.bind(client) as Redis['sendCommand'];
  const sendUnlessPointless: typeof send = (command, ...rest) => {
    if ((command as unknown as { isSettled: boolean }).isSettled) return command.promise;
    if (isGone()) {
      command.reject(new NotSentError('Redis is not connected'));
      return command.promise;
    }
    if (countWaiting(client) >= MAX_WAITING_COMMANDS) {
      onRefused();
      command.reject(new NotSentError('Too many Redis commands are waiting'));
      return command.promise;
    }
    return send(command, ...rest);
  };
  client.sendCommand = sendUnlessPointless;
}

function countWaiting(client: RedisClient): number {
  const { offlineQueue } = client as unknown as { offlineQueue: { length: number } };
  if (client instanceof Cluster) return offlineQueue.length;
  const { commandQueue } = client as unknown as { commandQueue: { length: number } };
  return offlineQueue.length + commandQueue.length;
}
