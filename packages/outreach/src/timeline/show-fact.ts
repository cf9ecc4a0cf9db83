import type { AlertFact } from '@hushryd/contracts/http/sos';
import { showFactText } from '../alerts/fact-text.ts';
import type { NoteSealer } from '../alerts/note-sealer.ts';
import type { PlacedFact } from './read-timeline.ts';

/** A fact as the staff see it. */
export function showFact(
  { seq, factId, at, kind, by, text, data, sealed }: PlacedFact,
  sealer: Pick<NoteSealer, 'open'>,
  context: { personId: string },
): AlertFact {
  return {
    seq,
    factId,
    at: at.toISOString(),
    kind,
    ...(by !== undefined && { by }),
    ...(text !== undefined && { text: showFactText(sealer, text, context) }),
    ...(data !== undefined && { data: toJson(data) }),
    isSealed: sealed !== undefined,
  };
}

/** Dates as they are hashed. */
const toJson = (data: Record<string, unknown>): Record<string, unknown> => JSON.parse(JSON.stringify(data));
