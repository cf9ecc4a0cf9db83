/** `fresh` up to 15 s, `pale` up to a minute, then `silent`: the symbol must not look live when the fix is not. */
export type AgeClass = 'fresh' | 'pale' | 'silent';

export const paleAfterMs = 15_000;
export const silentAfterMs = 60_000;

const palestOpacity = 0.38;
const firstPaleOpacity = 0.72;

export function ageClassOf(ageMs: number): AgeClass {
  if (ageMs <= paleAfterMs) return 'fresh';
  return ageMs <= silentAfterMs ? 'pale' : 'silent';
}

/** Opacity of a vehicle's symbol: a visible step at 15 s, then ever paler; silent ones are drawn as a square, well visible again. */
export function opacityAt(ageMs: number): number {
  const age = ageClassOf(ageMs);
  if (age === 'fresh') return 1;
  if (age === 'silent') return 0.9;
  const share = (ageMs - paleAfterMs) / (silentAfterMs - paleAfterMs);
  return firstPaleOpacity - share * (firstPaleOpacity - palestOpacity);
}
