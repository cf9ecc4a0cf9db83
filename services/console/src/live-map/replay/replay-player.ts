import type { ReplayGhost } from '../map/fleet-scene.ts';
import type { TrackShape } from '../track/track-shape.ts';
import { type Moment, momentAt } from './moment.ts';
import {
  advance,
  createReplayClock,
  extend,
  type ReplayClock,
  type ReplayRate,
  seek,
  togglePlaying,
} from './replay-clock.ts';

/** Plays one track. The map asks `ghost` every frame; whoever shows figures is told some times a second. */
export interface ReplayPlayer {
  clock(): ReplayClock;
  moment(): Moment | undefined;
  ghost(): ReplayGhost | undefined;
  subscribe(listener: () => void): () => void;
  toggle(): void;
  seek(atMs: number): void;
  setRate(rate: ReplayRate): void;
  /** The track grew. */
  setShape(shape: TrackShape): void;
  close(): void;
}

const tellEveryMs = 66;

export function createReplayPlayer(input: {
  shape: TrackShape;
  atMs: number | undefined;
  isMotionReduced: () => boolean;
}): ReplayPlayer {
  const listeners = new Set<() => void>();
  let { shape } = input;
  let clock = createReplayClock({ ...spanOf(shape), atMs: input.atMs });
  let toldMs = 0;
  let lastMs = 0;
  let frame = 0;

  function tell(): void {
    toldMs = performance.now();
    for (const listener of listeners) listener();
  }

  function become(next: ReplayClock): void {
    if (next === clock) return;
    clock = next;
    if (clock.isPlaying && frame === 0) {
      lastMs = performance.now();
      frame = requestAnimationFrame(run);
    }
    tell();
  }

  function run(nowMs: number): void {
    clock = advance(clock, nowMs - lastMs);
    lastMs = nowMs;
    frame = clock.isPlaying ? requestAnimationFrame(run) : 0;
    if (!clock.isPlaying || nowMs - toldMs >= tellEveryMs) tell();
  }

  const moment = () => momentAt(shape, clock.atMs, { isStepwise: input.isMotionReduced() });

  return {
    clock: () => clock,
    moment,
    ghost: moment,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    toggle: () => become(togglePlaying(clock)),
    seek: (atMs) => become(seek(clock, atMs)),
    setRate: (rate) => become({ ...clock, rate }),
    setShape(next) {
      shape = next;
      become(extend(clock, spanOf(next)));
    },
    close() {
      cancelAnimationFrame(frame);
      frame = 0;
      listeners.clear();
    },
  };
}

function spanOf({ points }: TrackShape): { startMs: number; endMs: number } {
  return { startMs: points[0]?.atMs ?? 0, endMs: points.at(-1)?.atMs ?? 0 };
}
