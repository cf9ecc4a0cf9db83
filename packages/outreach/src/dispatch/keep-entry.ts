import type { AlertDocument, OutboxEntry } from '../alerts/alert-document.ts';
import type { AlertAttemptDocument } from './alert-attempts.ts';
import type { DispatchMetrics } from './dispatch-metrics.ts';
import type { DispatchSettings } from './dispatch-settings.ts';
import type { Outcome } from './entry-change.ts';
import { type GatherOutcomes, patientHoldMs } from './gather-outcomes.ts';

/** What is said of an entry; without attempts where none was made. */
export type EntryOutcome = Pick<Outcome, 'state' | 'dueInMs'> &
  Partial<Pick<Outcome, 'attempts' | 'addTries' | 'reason' | 'isNewRound' | 'expanded'>>;

/** An entry in the hands of whoever has claimed it. */
export interface HeldEntry {
  /** As it was kept last. */
  readonly known: OutboxEntry;
  /**
   * Keep what has become of it, and the attempt that was made. Where it goes on, the lease begins anew.
   *
   * @returns false where somebody else has it now, or nobody wants it sent any more
   * @throws AppError `database_unavailable`
   */
  keep(outcome: EntryOutcome, attempt?: AlertAttemptDocument): Promise<boolean>;
  /** Sees to it that the lease lasts for so long. @returns false as `keep` does */
  holdFor(ms: number): Promise<boolean>;
}

/** Entries of one claim whose first word is still awaited. */
export interface LeftOfClaim {
  /** How long what is said of an entry may wait for what the others say. */
  holdMs(entry: Pick<OutboxEntry, 'entryId'>, outcome: Pick<EntryOutcome, 'state' | 'expanded'>): number;
}

/** The last one that is done with its part has all that was kept back written at once; whoever goes on to another provider waits for nobody. */
export function countLeft(entries: readonly Pick<OutboxEntry, 'entryId'>[]): LeftOfClaim {
  const waiting = new Set(entries.map(({ entryId }) => entryId));
  return {
    holdMs({ entryId }, { state, expanded }) {
      if (state === 'SENDING') return urgentHoldMs;
      waiting.delete(entryId);
      // Contacts are waiting.
      return waiting.size === 0 || expanded !== undefined ? 0 : patientHoldMs;
    },
  };
}

const urgentHoldMs = 50;

export function holdEntry({
  alert,
  entry,
  leaseEndsAt: firstLeaseEndsAt,
  left,
  gather,
  settings,
  metrics,
}: {
  alert: Pick<AlertDocument, '_id'>;
  entry: OutboxEntry;
  /** By `performance.now()`. */
  leaseEndsAt: number;
  left: LeftOfClaim;
  gather: Pick<GatherOutcomes, 'add'>;
  settings: Pick<DispatchSettings, 'leaseMs'>;
  metrics: Pick<DispatchMetrics, 'ended'>;
}): HeldEntry {
  const { entryId, fence, channel } = entry;
  let known = entry;
  let leaseEndsAt = firstLeaseEndsAt;

  async function keep(outcome: EntryOutcome, attempt?: AlertAttemptDocument): Promise<boolean> {
    if (outcome.dueInMs === null) metrics.ended(channel, outcome.state);
    const fact = toFactOf(entry, outcome, attempt);
    const askedAt = performance.now();
    const after = await gather.add(
      alert._id,
      { kind: 'outcome', entryId, fence, attempts: 0, addTries: [], ...outcome, ...(fact !== undefined && { fact }) },
      attempt === undefined ? [] : [attempt],
      { holdMs: left.holdMs(entry, outcome) },
    );
    leaseEndsAt = askedAt + settings.leaseMs;
    const kept = after?.outbox.find((one) => one.entryId === entryId);
    if (kept === undefined || kept.fence !== fence) return false;
    known = kept;
    return true;
  }

  return {
    get known() {
      return known;
    },
    keep,
    async holdFor(ms) {
      // A database that was slow to answer has used up the lease.
      return performance.now() + ms <= leaseEndsAt || keep({ state: 'SENDING', dueInMs: settings.leaseMs });
    },
  };
}

function toFactOf(
  { entryId, channel, fence, recipient }: OutboxEntry,
  { reason }: EntryOutcome,
  attempt: AlertAttemptDocument | undefined,
) {
  if (attempt !== undefined) {
    const { _id, provider, outcome, reason: cause, latencyMs, personId } = attempt;
    const data = { entryId, channel, provider, outcome, reason: cause ?? null, latencyMs, personId: personId ?? null };
    return { factId: _id, kind: 'attempt', data };
  }
  // Whoever is on call and wants no texts was not to be reached by one.
  if (reason === undefined || (reason === 'no-address' && recipient.kind === 'on_call')) return undefined;
  return { factId: `not-delivered-${entryId}-${fence}`, kind: 'not_delivered', data: { entryId, channel, reason } };
}
