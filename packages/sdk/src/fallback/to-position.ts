import type { Position } from '@hushryd/contracts/fix';
import type { Location } from '@hushryd/contracts/http/trips';

/** A position as frames carry it, from what HTTP bodies carry. */
export function toPosition({ recordedAt, ageSeconds: _, ...rest }: Location): Position {
  return { ...rest, recordedAtMs: Date.parse(recordedAt) };
}
