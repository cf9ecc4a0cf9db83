import type { AlertFact } from './alert-document.ts';

/** A fact before it is written: its time is the database's. */
export type NewFact = Omit<AlertFact, 'at'>;

/** A value that the database works out while it writes. */
export type Expression = unknown;

export interface FactToAppend {
  fact: NewFact;
  /** Fields of the fact that are taken from the alert as it stood before this stage: `{ data: { level: '$escalation.level' } }`. */
  computed?: Record<string, Expression>;
  /** When it happened, where that is not when the others did. */
  at?: Expression;
}

/**
 * What machines tell waits in an alert up to this number. Above it new facts of theirs are left out, so that an alert that is open for days
 * stays small also when nothing seals: what was tried stands in `alert_attempts` all the same. What people do is never left out.
 */
export const maxWaitingFacts = 600;

export interface AppendOptions {
  /** When it happened, a date of the database's clock. Without it: now. */
  at?: Expression;
  /** All of these facts, or none where it does not hold. */
  onlyIf?: Expression;
  /** Told by a machine, and so often that it may be left out: see `maxWaitingFacts`. */
  mayBeLeftOut?: boolean;
}

/**
 * Fields for a `$set` stage that write facts into an alert, by the same update that makes the change they tell of. The one way in: every
 * fact of an alert goes through here (or `firstFacts`), also those of attempts, receipts and the escalation.
 *
 * ```ts
 * const told = appendFacts([{ fact: { factId: `sent-${entryId}-${attempt}`, kind: 'sent', data: { channel, provider } } }]);
 * await alerts.updateOne(filter, [{ $set: { outbox: …, ...told } }], options);
 * ```
 *
 * Facts are only ever added at the end, and taken from the front by the sealer alone, which brings them to `alert_timeline` usually within
 * seconds. Their place is their number there, so nothing else may touch `$facts`. It holds the newest only: whoever asks "was this written
 * before?" asks `AlertStore.hasFact`.
 *
 * A `factId` is made so that the same thing gets the same one, whoever tells of it and however often: `receipt-{entryId}-{attempt}-{status}`.
 * Written twice, the second one stands in the timeline as `repeated`, and says which; better not, as that is a line more to read. No
 * phone number, address or token belongs in `data`, which is not sealed; what a person wrote goes through `sealFactText`.
 *
 * For pipelines only, since times come from the database. Facts under different conditions: a `$set` stage each.
 *
 * @returns `facts` and `hasFacts`: spread them, they are none of the caller's business
 */
export function appendFacts(
  facts: readonly FactToAppend[],
  { at = '$$NOW', onlyIf = true, mayBeLeftOut = false }: AppendOptions = {},
): Record<'facts' | 'hasFacts', Expression> {
  const isKept = { $lt: [{ $size: '$facts' }, maxWaitingFacts] };
  const isTold = mayBeLeftOut ? { $and: [onlyIf, isKept] } : onlyIf;
  const when = (then: Expression, otherwise: Expression) => ({ $cond: [isTold, then, otherwise] });
  return {
    facts: when({ $concatArrays: ['$facts', facts.map((fact) => toFact(fact, at))] }, '$facts'),
    hasFacts: when({ $literal: true }, { $eq: ['$hasFacts', true] }),
  };
}

/** The same for the update that makes the alert. */
export function firstFacts(facts: readonly FactToAppend[], at: Expression): Record<'facts' | 'hasFacts', Expression> {
  return { facts: facts.map((fact) => toFact(fact, at)), hasFacts: { $literal: true } };
}

function toFact({ fact, computed = {}, at: own }: FactToAppend, at: Expression): Expression {
  return { $mergeObjects: [{ $literal: fact }, computed, { at: own ?? at }] };
}
