import type { Redis } from 'ioredis';

/**
 * Send all commands of one turn of the event loop in one write.
 *
 * The socket is corked at the first command and opened again when the turn ends. This stands in for ioredis'
 * `enableAutoPipelining`, which runs one pipeline at a time: behind a hung server a command waits out the deadline of the pipeline
 * before it until its own begins. It is also faster: docs/decisions/0004-one-write-a-turn.md.
 */
export function batchWrites(redis: Redis): void {
  const send = redis.sendCommand.bind(redis);
  redis.sendCommand = (command, stream) => {
    corkForThisTurn(redis);
    return send(command, stream);
  };
}

function corkForThisTurn(redis: Redis): void {
  const { stream } = redis as unknown as {
    stream?: { writable: boolean; writableCorked: number; cork(): void; uncork(): void };
  };
  if (stream === undefined || !stream.writable || stream.writableCorked > 0) return;
  stream.cork();
  setImmediate(() => stream.uncork());
}
