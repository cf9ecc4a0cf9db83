/** Where a replay stands. Pure: the caller brings the time that passed. */
export interface ReplayClock {
  startMs: number;
  endMs: number;
  atMs: number;
  rate: ReplayRate;
  isPlaying: boolean;
}

export const replayRates = [1, 2, 5, 10, 30, 60] as const;
export type ReplayRate = (typeof replayRates)[number];

export function createReplayClock(input: { startMs: number; endMs: number; atMs?: number | undefined }): ReplayClock {
  const clock: ReplayClock = { ...input, atMs: input.startMs, rate: 10, isPlaying: false };
  return seek(clock, input.atMs ?? input.startMs);
}

export function seek(clock: ReplayClock, atMs: number): ReplayClock {
  return { ...clock, atMs: Math.max(clock.startMs, Math.min(clock.endMs, atMs)) };
}

/** Play or pause; playing again from the end starts over. */
export function togglePlaying(clock: ReplayClock): ReplayClock {
  if (clock.isPlaying) return { ...clock, isPlaying: false };
  return {
    ...clock,
    isPlaying: clock.endMs > clock.startMs,
    atMs: clock.atMs >= clock.endMs ? clock.startMs : clock.atMs,
  };
}

/** Let `elapsedMs` of real time pass. It stops by itself at the end. */
export function advance(clock: ReplayClock, elapsedMs: number): ReplayClock {
  if (!clock.isPlaying || elapsedMs <= 0) return clock;
  const atMs = clock.atMs + elapsedMs * clock.rate;
  if (atMs < clock.endMs) return { ...clock, atMs };
  return { ...clock, atMs: clock.endMs, isPlaying: false };
}

/** The track grew, as that of a running trip does: the moment stays, the end moves. */
export function extend(clock: ReplayClock, span: { startMs: number; endMs: number }): ReplayClock {
  if (clock.startMs === span.startMs && clock.endMs === span.endMs) return clock;
  return seek({ ...clock, ...span }, clock.atMs);
}
