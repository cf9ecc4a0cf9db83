import type { Redis } from 'ioredis';
import type { RedisClient } from './client.ts';

/** What ioredis keeps of a command, its timer too: it is cleared when the command settles. */
interface TimedCommand {
  readonly isSettled: boolean;
  reject(error: Error): void;
  _commandTimeoutTimer?: NodeJS.Timeout;
}

/**
 * Give up on a command `deadlineMs` after it was sent, but look once more for its answer before.
 *
 * A process that was busy or got no processor for that long finds its timers due before it reads its sockets: without this last look all
 * commands on their way fail together, though answered long ago, and what is sent again because of it keeps the process busy. Where the
 * server really is silent this costs one turn of the event loop.
 */
export function readBeforeDeadline(client: RedisClient, deadlineMs: number): void {
  const send = client.sendCommand.bind(client) as Redis['sendCommand'];
  const sendTimed: typeof send = (command, ...rest) => {
    const timed = command as unknown as TimedCommand;
    // ioredis sets its own only where there is none.
    timed._commandTimeoutTimer ??= setTimeout(() => setImmediate(giveUp, timed), deadlineMs);
    return send(command, ...rest);
  };
  client.sendCommand = sendTimed;
}

function giveUp(command: TimedCommand): void {
  if (!command.isSettled) command.reject(new Error('Command timed out'));
}
