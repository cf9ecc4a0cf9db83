export interface FrameLimits {
  maxFramesPerSecond: number;
  maxBadFrames: number;
}

/** The network may deliver two seconds of an honest client's frames at once. */
const burstSeconds = 2;
const forgiveEveryMs = 2000;

/**
 * How many frames a socket may still send now, and how many of its frames were bad: two leaky buckets, without a timer.
 *
 * Times are monotonic milliseconds (`performance.now()`), so that a stepped clock neither blocks nor frees anybody.
 */
export class FrameBudget {
  #frames: number;
  #badFrames = 0;
  #atMs: number;

  constructor(limits: FrameLimits, nowMs: number) {
    this.#frames = limits.maxFramesPerSecond * burstSeconds;
    this.#atMs = nowMs;
  }

  /** Monotonic; when the socket was opened, until it has sent something. */
  get lastFrameAtMs(): number {
    return this.#atMs;
  }

  /** @returns false for a frame above the rate */
  takeFrame(limits: FrameLimits, nowMs: number): boolean {
    const elapsedMs = nowMs - this.#atMs;
    this.#atMs = nowMs;
    this.#badFrames = Math.max(0, this.#badFrames - elapsedMs / forgiveEveryMs);
    this.#frames = Math.min(
      limits.maxFramesPerSecond * burstSeconds,
      this.#frames + (elapsedMs / 1000) * limits.maxFramesPerSecond,
    );
    if (this.#frames < 1) return false;
    this.#frames -= 1;
    return true;
  }

  /** Note a bad frame. @returns false where it was one too many */
  noteBadFrame(limits: FrameLimits): boolean {
    this.#badFrames += 1;
    return this.#badFrames <= limits.maxBadFrames;
  }
}
