import { createHash } from 'node:crypto';
import type { AlertFact } from '../alerts/alert-document.ts';
import { canonicalJson } from './canonical-json.ts';
import { type SealedFact, sealedFactId } from './timeline-document.ts';
import type { TimelineHead } from './timeline-head.ts';

/** Before the first fact of an alert. */
export const emptyHead: TimelineHead = { seq: 0, hash: '0'.repeat(64) };

/** What is hashed of a fact, and what an export shows of it: of what a person wrote the digest. */
export interface ChainedContent {
  alertId: string;
  seq: number;
  factId: string;
  at: string;
  kind: string;
  by?: string;
  data?: Record<string, unknown>;
  textDigest?: string;
  previous: string;
}

export function toChainedContent({
  alertId,
  seq,
  factId,
  at,
  kind,
  by,
  data,
  text,
  previous,
}: Omit<SealedFact, '_id' | 'hash'>): ChainedContent {
  return {
    alertId,
    seq,
    factId,
    at: at.toISOString(),
    kind,
    ...(by !== undefined && { by }),
    ...(data !== undefined && { data }),
    ...(text !== undefined && { textDigest: text.digest }),
    previous,
  };
}

/** SHA-256 in hex over the content in canonical JSON, the hash of the fact before it included. */
export function hashFact(content: ChainedContent): string {
  return createHash('sha256').update(canonicalJson(content), 'utf8').digest('hex');
}

/**
 * Number and chain facts behind a head, in their order. Pure: whoever chains the same facts behind the same head gets the same.
 *
 * @param placeOf where a row of this id stands already; the second telling of a fact becomes `repeated`
 */
export function chainFacts(
  alertId: string,
  head: TimelineHead,
  facts: readonly AlertFact[],
  placeOf: (rowId: string) => number | undefined = () => undefined,
): SealedFact[] {
  const chained: SealedFact[] = [];
  const places = new Map<string, number>();
  let { seq, hash: previous } = head;
  for (const given of facts) {
    seq += 1;
    const stands = places.get(given.factId) ?? placeOf(sealedFactId(alertId, given.factId));
    const isRepeated = stands !== undefined && stands < seq;
    const { factId, at, kind, by, text, data } = isRepeated ? toRepeated(given, seq) : given;
    const unhashed = {
      alertId,
      seq,
      factId,
      at,
      kind,
      ...(by !== undefined && { by }),
      ...(text !== undefined && { text }),
      ...(data !== undefined && { data }),
      previous,
    };
    const hash = hashFact(toChainedContent(unhashed));
    chained.push({ _id: sealedFactId(alertId, factId), ...unhashed, hash });
    places.set(factId, seq);
    previous = hash;
  }
  return chained;
}

function toRepeated({ factId, at, by }: AlertFact, seq: number): AlertFact {
  return { factId: `${factId}~${seq}`, at, kind: 'repeated', ...(by !== undefined && { by }), data: { factId } };
}
