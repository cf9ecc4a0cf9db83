import type { CollectionDeclaration } from '@hushryd/platform/mongo/collection-declaration';
import type { AlertFact } from '../alerts/alert-document.ts';

/** A fact in its place for ever: what `alert_timeline` holds. Inserted once, never changed. */
export interface SealedFact extends AlertFact {
  /** `{alertId}:{factId}`: a fact that is brought twice is one. */
  _id: string;
  alertId: string;
  /** Of its alert: 1, 2, 3 … in the order in which the facts were written. */
  seq: number;
  /** Hash of the fact before it. */
  previous: string;
  hash: string;
}

export const timelineCollection: CollectionDeclaration = {
  name: 'alert_timeline',
  indexes: [{ key: { alertId: 1, seq: 1 }, name: 'place', unique: true }],
};

export const sealedFactId = (alertId: string, factId: string): string => `${alertId}:${factId}`;
