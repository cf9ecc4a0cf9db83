import { realtimeLimits } from '@hushryd/contracts/realtime/limits';

export interface FrameRate {
  /** Milliseconds until a frame may be sent; 0: now. */
  waitMs(): number;
  /** A frame was sent. */
  note(): void;
}

const windowMs = 1000;
// The network may deliver two of our seconds within one of the server's; repeated excess would end the socket for good.
const reserve = 4;

/** At most `perSecond` frames in any second, looking back over a sliding window. */
export function createFrameRate(input: { now: () => number; perSecond?: number }): FrameRate {
  const { now, perSecond = realtimeLimits.framesPerSecond - reserve } = input;
  const sentAtMs = new Array<number>(perSecond).fill(Number.NEGATIVE_INFINITY);
  let oldest = 0;

  return {
    waitMs() {
      const agoMs = now() - (sentAtMs[oldest] ?? Number.NEGATIVE_INFINITY);
      // A clock that was set back must not silence the client for longer than the window.
      return agoMs >= windowMs ? 0 : Math.min(windowMs, windowMs - agoMs);
    },
    note() {
      sentAtMs[oldest] = now();
      oldest = (oldest + 1) % perSecond;
    },
  };
}
