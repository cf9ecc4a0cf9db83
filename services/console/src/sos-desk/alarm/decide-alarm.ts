/** What the alarm does at a moment. `silenced`: by an operator, and for how much longer. */
export type Alarm = { kind: 'off' } | { kind: 'on' } | { kind: 'silenced'; forMs: number };

/** An operator may have quiet for so long, to listen to somebody; never for good. */
export const silenceMs = 60_000;
/** What happens to an alert that somebody works on already is loud for a moment only. */
export const loudMs = 5_000;

/**
 * Sound while nobody works on an alert, and for a moment after anything that asks to be loud. Silence ends by itself, and with whatever
 * is loud after it. Pure.
 */
export function decideAlarm(input: {
  unclaimedCount: number;
  /** The newest event that asked to be loud. */
  loudAtMs: number | undefined;
  /** When an operator asked for quiet. */
  silencedAtMs: number | undefined;
  nowMs: number;
}): Alarm {
  const { unclaimedCount, loudAtMs, silencedAtMs, nowMs } = input;
  const isLoud = loudAtMs !== undefined && nowMs - loudAtMs < loudMs;
  if (unclaimedCount === 0 && !isLoud) return { kind: 'off' };
  const isSilenceOver = silencedAtMs === undefined || (loudAtMs !== undefined && loudAtMs > silencedAtMs);
  const forMs = isSilenceOver ? 0 : silencedAtMs + silenceMs - nowMs;
  return forMs > 0 ? { kind: 'silenced', forMs } : { kind: 'on' };
}
