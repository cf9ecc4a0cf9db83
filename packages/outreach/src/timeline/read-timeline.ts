import type { AlertDocument, AlertFact } from '../alerts/alert-document.ts';
import { emptyHead } from './chain-facts.ts';
import type { SealedFact } from './timeline-document.ts';
import type { TimelineStore } from './timeline-store.ts';

/** A fact in its place; `hash` once it is sealed. */
export interface PlacedFact extends AlertFact {
  seq: number;
  sealed?: Pick<SealedFact, 'previous' | 'hash'>;
}

type OfAlert = Pick<AlertDocument, '_id' | 'facts' | 'timelineHead'>;

export const headOf = ({ timelineHead = emptyHead }: Pick<AlertDocument, 'timelineHead'>) => timelineHead;

/** How many facts there are of an alert, sealed or not. */
export const countFacts = (alert: Pick<AlertDocument, 'facts' | 'timelineHead'>): number =>
  headOf(alert).seq + alert.facts.length;

/**
 * Facts of an alert after `afterSeq`, in order: the sealed ones of the timeline, then those that the document still holds. The document is
 * read first, so that nothing is missed or comes twice, whatever the sealer does meanwhile.
 *
 * @throws AppError `database_unavailable`
 */
export async function readFacts(
  store: TimelineStore,
  alert: OfAlert,
  { afterSeq, limit }: { afterSeq: number; limit: number },
): Promise<PlacedFact[]> {
  const untilSeq = headOf(alert).seq;
  const sealed = await store.read({ alertId: alert._id, afterSeq, untilSeq, limit });
  const waiting = toWaiting(alert).slice(Math.max(0, afterSeq - untilSeq));
  return [...sealed.map(toPlaced), ...waiting].slice(0, limit);
}

/** The newest `limit` facts, in order. */
export async function readNewestFacts(store: TimelineStore, alert: OfAlert, limit: number): Promise<PlacedFact[]> {
  const waiting = toWaiting(alert).slice(-limit);
  const untilSeq = headOf(alert).seq;
  const query = { alertId: alert._id, afterSeq: 0, untilSeq, limit: limit - waiting.length, newest: true };
  return [...(await store.read(query)).map(toPlaced), ...waiting];
}

function toWaiting(alert: OfAlert): PlacedFact[] {
  const { seq } = headOf(alert);
  return alert.facts.map((fact, index) => ({ ...fact, seq: seq + index + 1 }));
}

function toPlaced({ _id, alertId, previous, hash, ...fact }: SealedFact): PlacedFact {
  return { ...fact, sealed: { previous, hash } };
}
