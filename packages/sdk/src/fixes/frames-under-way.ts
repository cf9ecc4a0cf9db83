import type { RunOfFixes } from './run-of-fixes.ts';

/** A `loc` frame that was sent and has no `recv` yet. */
export interface FrameUnderWay {
  id: number;
  source: RunOfFixes;
  firstSeq: number;
  lastSeq: number;
}

const maxUnderWay = 8;

/** The window of unanswered frames, oldest first. */
export class FramesUnderWay {
  #frames: FrameUnderWay[] = [];

  get oldest(): FrameUnderWay | undefined {
    return this.#frames[0];
  }

  /** While the server is late, one frame is enough to find out whether it is back. */
  isFull(isServerLate: boolean): boolean {
    return this.#frames.length >= (isServerLate ? 1 : maxUnderWay);
  }

  add(frame: FrameUnderWay): void {
    this.#frames.push(frame);
  }

  find(id: number | undefined): FrameUnderWay | undefined {
    return this.#frames.find((frame) => frame.id === id);
  }

  take(id: number | undefined): FrameUnderWay | undefined {
    const frame = this.find(id);
    if (frame) this.#frames = this.#frames.filter((other) => other !== frame);
    return frame;
  }

  /** Frames whose fixes are durable need no answer any more. */
  takeThrough(source: RunOfFixes, seq: number): void {
    this.#frames = this.#frames.filter((frame) => frame.source !== source || frame.lastSeq > seq);
  }

  takeAll(source: RunOfFixes): void {
    this.#frames = this.#frames.filter((frame) => frame.source !== source);
  }

  clear(): FrameUnderWay[] {
    const frames = this.#frames;
    this.#frames = [];
    return frames;
  }
}
