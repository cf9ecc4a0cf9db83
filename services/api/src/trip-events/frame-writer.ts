import { Readable } from 'node:stream';
import type { ServerFrame } from '@hushryd/contracts/realtime/server-frames';

/** Above this a reader is slow: positions are conflated, and events wait, until it has taken what it has. */
export const slowBytes = 32_768;
/** Above this it is cut. All that a trip's log keeps is a quarter of it, and may be handed to a reader that comes back. */
export const maxWaitingBytes = 524_288;

export interface FrameWriter {
  /** What the reply sends. */
  readonly stream: Readable;
  readonly isSlow: boolean;
  /**
   * After all that waits, as soon as the reader has room for it.
   * @param id where the client is in the event log after this frame
   */
  write(frame: ServerFrame, id?: string): void;
  /** A line that clients leave out: the way is open. */
  heartbeat(): void;
  /** How long a client that loses the stream should wait before it comes back. */
  hintRetry(retryMs: number): void;
  /** After all that was written or waits. */
  end(): void;
  cut(): void;
}

/**
 * Frames of the realtime protocol as server-sent events (HTML standard §9.2): `event` is the frame's type, `data` the frame, `id` what
 * moves the place.
 *
 * Bounded: above `maxWaitingBytes` the stream is cut.
 *
 * @param onDrain the reader has room again, and nothing waits
 * @param onTooSlow called before the cut
 */
export function createFrameWriter({ onDrain, onTooSlow }: { onDrain: () => void; onTooSlow: () => void }): FrameWriter {
  const stream = new Readable({ highWaterMark: slowBytes, read });
  let waiting: string[] = [];
  let waitingBytes = 0;
  /** The stream asked for more and has got nothing since. */
  let isAsked = false;
  let isEnding = false;

  /** One frame for each time of asking: at the moment of asking the stream still counts what it is giving out. */
  function read(): void {
    const text = waiting.shift();
    if (text !== undefined) {
      waitingBytes -= text.length;
      stream.push(text);
    } else if (isEnding) {
      stream.push(null);
    } else {
      isAsked = true;
      onDrain();
    }
  }

  function put(text: string): void {
    if (isEnding || stream.destroyed) return;
    if (isAsked || !isSlow()) {
      isAsked = false;
      stream.push(text);
    } else {
      waiting.push(text);
      waitingBytes += text.length;
    }
    if (stream.readableLength + waitingBytes <= maxWaitingBytes) return;
    onTooSlow();
    cut();
  }

  const isSlow = (): boolean => waiting.length > 0 || stream.readableLength >= slowBytes;

  function cut(): void {
    waiting = [];
    waitingBytes = 0;
    stream.destroy();
  }

  return {
    stream,
    get isSlow() {
      return isSlow();
    },
    write: (frame, id) => put(encode(frame, id)),
    heartbeat: () => put(':\n\n'),
    hintRetry: (retryMs) => put(`retry: ${retryMs}\n\n`),
    end() {
      isEnding = true;
      if (waiting.length === 0 && !stream.destroyed) stream.push(null);
    },
    cut,
  };
}

/** JSON has no line breaks, so a frame is one line of data. */
function encode(frame: ServerFrame, id: string | undefined): string {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  return `event: ${frame.type}\n${idLine}data: ${JSON.stringify(frame)}\n\n`;
}
