import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is wrong with one direction of a connection. Empty means nothing. */
export interface StreamFaults {
  readonly delayMs?: number;
  /** Up to this much more, by the seeded random numbers; order is kept. */
  readonly jitterMs?: number;
  readonly bytesPerSecond?: number;
  /** Nothing arrives and nothing ends, as in a network partition: what is held arrives when the fault goes, as TCP would deliver it. */
  readonly isSilent?: boolean;
  /** What is left of a chunk. A network loses none of TCP's bytes; a server that nobody publishes to any more says less. */
  readonly leaves?: (chunk: Buffer) => Buffer;
  /** Turns one bit of every n-th byte. */
  readonly corruptEveryBytes?: number;
}

export interface FaultStream {
  /** Tells a held stream that the faults changed. */
  wake(): void;
}

// As much as a real path holds in buffers; then the sender feels it.
const maxHeldBytes = 1024 * 1024;

/**
 * Carries bytes from one socket to another through the faults of the moment, in order. `offer` sees each chunk as it arrives
 * and may take it away by returning false.
 */
export function carry(input: {
  from: Socket;
  to: Socket;
  faults: () => StreamFaults;
  random: () => number;
  offer: (chunk: Buffer) => boolean;
}): FaultStream {
  const { from, to, faults, random } = input;
  let last = Promise.resolve();
  let heldBytes = 0;
  let carriedBytes = 0;
  let wake: () => void = () => undefined;

  async function untilAudible(): Promise<void> {
    while (faults().isSilent && !to.destroyed) {
      await new Promise<void>((resolve) => {
        wake = () => {
          to.off('close', wake);
          resolve();
        };
        to.once('close', wake);
      });
    }
  }

  async function forward(chunk: Buffer, arrivedAtMs: number): Promise<void> {
    const { delayMs = 0, jitterMs = 0, bytesPerSecond } = faults();
    const waitMs = arrivedAtMs + delayMs + random() * jitterMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    if (bytesPerSecond) await sleep((chunk.length / bytesPerSecond) * 1000);
    await untilAudible();
    if (to.writable) to.write(corrupt(faults().leaves?.(chunk) ?? chunk));
    heldBytes -= chunk.length;
    if (heldBytes < maxHeldBytes) from.resume();
  }

  function corrupt(chunk: Buffer): Buffer {
    const every = faults().corruptEveryBytes;
    if (!every) return chunk;
    for (let at = every - 1 - (carriedBytes % every); at < chunk.length; at += every) {
      chunk[at] = (chunk[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    }
    carriedBytes += chunk.length;
    return chunk;
  }

  function afterTheRest(step: () => void): void {
    last = last.then(untilAudible).then(step);
  }

  from.on('data', (chunk: Buffer) => {
    if (!input.offer(chunk)) return;
    heldBytes += chunk.length;
    if (heldBytes >= maxHeldBytes) from.pause();
    const arrivedAtMs = performance.now();
    last = last.then(() => forward(chunk, arrivedAtMs));
  });
  from.once('end', () => afterTheRest(() => to.end()));
  from.once('close', (hadError: boolean) => afterTheRest(() => (hadError ? to.resetAndDestroy() : to.destroySoon())));
  return { wake: () => wake() };
}
