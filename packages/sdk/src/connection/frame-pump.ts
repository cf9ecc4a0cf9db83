import type { FrameRate } from './frame-rate.ts';
import { createFrameRate } from './frame-rate.ts';
import type { CancelTimer, Runtime } from './runtime.ts';
import type { OutgoingFrame } from './socket.ts';

/**
 * Gives the next frame to send, of at most `realtimeLimits.frameBytes` as JSON text or in binary, or undefined when there is none.
 * Asked only while the connection is live and another frame may be sent. Whoever has a new frame calls `wake()`.
 */
export type FrameSource = () => OutgoingFrame | undefined;

export interface FramePump {
  addSource(source: FrameSource): void;
  wake(): void;
  /** A new socket: the rate starts afresh. */
  start(send: (frame: OutgoingFrame) => void): void;
  stop(): void;
}

/**
 * Sends what its sources have, the first source first, within the frame rate. Frames are made at the moment they are sent, so
 * nothing queues up here and nothing outlives its socket.
 */
export function createFramePump(runtime: Runtime): FramePump {
  const sources: FrameSource[] = [];
  let send: ((frame: OutgoingFrame) => void) | undefined;
  let frameRate: FrameRate = createFrameRate(runtime);
  let cancelTimer: CancelTimer | undefined;
  let isDue = false;

  return {
    addSource: (source) => void sources.push(source),
    wake,
    start(sendFrame) {
      send = sendFrame;
      frameRate = createFrameRate(runtime);
      wake();
    },
    stop() {
      send = undefined;
      cancelTimer?.();
    },
  };

  /** In a microtask, so that what one piece of code adds in one go can share a frame. */
  function wake(): void {
    if (isDue || !send) return;
    isDue = true;
    void Promise.resolve().then(() => {
      isDue = false;
      pump();
    });
  }

  function pump(): void {
    cancelTimer?.();
    while (send) {
      const waitMs = frameRate.waitMs();
      if (waitMs > 0) {
        cancelTimer = runtime.setTimer(pump, waitMs);
        return;
      }
      const frame = nextFrame();
      if (frame === undefined) return;
      frameRate.note();
      send(frame);
    }
  }

  function nextFrame(): OutgoingFrame | undefined {
    for (const source of sources) {
      const frame = source();
      if (frame !== undefined) return frame;
    }
    return undefined;
  }
}
