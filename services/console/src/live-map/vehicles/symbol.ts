import type { Position } from '@hushryd/contracts/fix';
import { ageClassOf, opacityAt } from './fix-age.ts';

/** What a vehicle is drawn as. The shape alone says it; colour only repeats it. */
export type SymbolKind = 'on_trip' | 'available' | 'off' | 'silent';

export const symbolKinds: readonly SymbolKind[] = ['on_trip', 'available', 'off', 'silent'];

export const symbolWords: Record<SymbolKind, string> = {
  on_trip: 'On trip',
  available: 'Free',
  off: 'Off duty',
  silent: 'Silent',
};

export interface VehicleSymbol {
  kind: SymbolKind;
  opacity: number;
}

export function symbolOf(position: Position, serverNowMs: number): VehicleSymbol {
  const ageMs = serverNowMs - position.recordedAtMs;
  return { kind: ageClassOf(ageMs) === 'silent' ? 'silent' : position.state, opacity: opacityAt(ageMs) };
}

/** How many vehicles there are of each kind. */
export function countKinds(positions: Iterable<Position>, serverNowMs: number): Record<SymbolKind, number> {
  const counts: Record<SymbolKind, number> = { on_trip: 0, available: 0, off: 0, silent: 0 };
  for (const position of positions) counts[symbolOf(position, serverNowMs).kind] += 1;
  return counts;
}
