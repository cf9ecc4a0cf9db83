import { randomUUID } from 'node:crypto';
import { deadline, toMongoError } from '@hushryd/platform/mongo/deadline';
import { updateThenRead } from '@hushryd/platform/mongo/update-then-read';
import type { Receipt } from '@hushryd/providers/receipts/receipt';
import type { Db, Document } from 'mongodb';
import type { AlertDocument, OutboxEntry } from '../alerts/alert-document.ts';
import { createLimitInFlight } from '../notifications/limit-in-flight.ts';
import type { AlertAttemptDocument } from './alert-attempts.ts';
import { toClaim } from './claim-pipeline.ts';
import type { DispatchSettings } from './dispatch-settings.ts';
import { type EntryChange, toChanges } from './entry-change.ts';

/** What a claim has taken: nobody else sends it until the lease has ended. */
export interface Claimed {
  alert: AlertDocument;
  entries: OutboxEntry[];
  /** This claim has made a step of the escalation. */
  hasEscalated: boolean;
}

export interface DueAlert {
  alertId: string;
  /** By the database's clock. */
  lateMs: number;
}

export interface DispatchStore {
  /** @returns undefined where nothing is due, or somebody else has it */
  claim(alertId: string): Promise<Claimed | undefined>;
  /**
   * Keeps what has become of entries, and of attempts. Attempts first, and not by a majority: what is acknowledged by a majority after them
   * says the same of them, since a member has all that came before.
   * @returns the alert as it is then; null where there is none
   */
  keep(
    alertId: string,
    changes: readonly EntryChange[],
    attempts: readonly AlertAttemptDocument[],
  ): Promise<AlertDocument | null>;
  /** What is due in any alert, the longest due first. */
  findDue(limit: number): Promise<DueAlert[]>;
  /** Since the last press of the alert that nobody has acknowledged for the longest, by the database's clock; 0 without any. */
  oldestUnackedMs(): Promise<number>;
  find(alertId: string): Promise<AlertDocument | null>;
  findAttempt(attemptId: string): Promise<AlertAttemptDocument | null>;
  findByMessage(message: Pick<Receipt, 'provider' | 'providerMessageId'>): Promise<AlertAttemptDocument | null>;
}

/** Of one process: more at a time are not faster, and take the database from those who accept alerts (reliability, M16). */
const maxWritesInFlight = 4;
const writeTimeoutMs = 1_200;

/**
 * Alerts as dispatch sees them. Writes are acknowledged by a majority and journalled, at most four at a time.
 *
 * @param db on a pool of its own
 * @param onWrite called for each majority write, for whoever counts
 * @throws AppError `database_unavailable` from every function; the outcome is unknown then. A claim that was applied all the same is a
 *   lease that ends; anything kept twice is kept once
 */
export function createDispatchStore({
  db,
  settings,
  deadlineMs = 1_500,
  onWrite = () => undefined,
}: {
  db: Db;
  settings: Pick<DispatchSettings, 'leaseMs' | 'escalateEveryMs'>;
  deadlineMs?: number;
  onWrite?: (kind: 'claim' | 'keep') => void;
}): DispatchStore {
  const alerts = db.collection<AlertDocument>('alerts', { readConcern: { level: 'majority' } });
  const attempts = db.collection<AlertAttemptDocument>('alert_attempts', { readConcern: { level: 'majority' } });
  const inTurn = createLimitInFlight(maxWritesInFlight);
  const writeConcern = { w: 'majority', journal: true, wtimeoutMS: Math.min(writeTimeoutMs, deadlineMs) } as const;
  const update = (alertId: string, pipeline: Document[]) =>
    updateThenRead(alerts, { filter: { _id: alertId }, pipeline }, { writeConcern, deadlineMs });

  /** The moment by the database's clock: those of the nodes may be off by minutes. */
  async function serverNowMs(): Promise<number> {
    const hello = await db.admin().command({ hello: 1 }, deadline(deadlineMs));
    return (hello.localTime as Date).getTime();
  }

  return {
    claim: (alertId) =>
      inTurn(() =>
        attempt(async () => {
          const claimId = randomUUID();
          onWrite('claim');
          const updated = await update(alertId, toClaim({ claimId, settings }));
          if (updated === undefined) return undefined;
          const { document: alert } = updated;
          // Of what was taken something may have arrived, or been called off, by the time of the read.
          const entries = alert.outbox.filter(({ takenBy, state }) => takenBy === claimId && state === 'SENDING');
          const hasEscalated = alert.escalation.takenBy === claimId;
          return entries.length > 0 || hasEscalated ? { alert, entries, hasEscalated } : undefined;
        }),
      ),
    keep: (alertId, changes, made) =>
      inTurn(() =>
        attempt(async () => {
          if (made.length > 0) {
            const upserts = made.map(({ _id, ...fields }) => ({
              updateOne: { filter: { _id }, update: { $set: fields }, upsert: true },
            }));
            await attempts.bulkWrite(upserts, { ordered: false, writeConcern: { w: 1 }, ...deadline(deadlineMs) });
          }
          if (changes.length === 0) return null;
          onWrite('keep');
          return (await update(alertId, toChanges(changes)))?.document ?? null;
        }),
      ),
    findDue: (limit) =>
      attempt(async () => {
        const nowMs = await serverNowMs();
        const found = await alerts
          .find<Pick<AlertDocument, '_id' | 'workAt'>>(
            { hasWork: true, workAt: { $lte: new Date(nowMs) } },
            { sort: { workAt: 1 }, limit, projection: { workAt: 1 }, ...deadline(deadlineMs) },
          )
          .toArray();
        return found.map(({ _id, workAt }) => ({ alertId: _id, lateMs: nowMs - (workAt?.getTime() ?? nowMs) }));
      }),
    oldestUnackedMs: () =>
      attempt(async () => {
        const [oldest] = await alerts
          .find<Pick<AlertDocument, 'lastPressedAt'>>(
            { state: 'open', open: true, isDrill: { $ne: true } },
            { sort: { lastPressedAt: 1 }, limit: 1, projection: { lastPressedAt: 1 }, ...deadline(deadlineMs) },
          )
          .toArray();
        return oldest === undefined ? 0 : Math.max(0, (await serverNowMs()) - oldest.lastPressedAt.getTime());
      }),
    find: (alertId) => attempt(() => alerts.findOne({ triggerIds: alertId }, deadline(deadlineMs))),
    findAttempt: (attemptId) => attempt(() => attempts.findOne({ _id: attemptId }, deadline(deadlineMs))),
    findByMessage: ({ provider, providerMessageId }) =>
      attempt(() => attempts.findOne({ providerMessageId, provider }, deadline(deadlineMs))),
  };
}

async function attempt<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw toMongoError(error);
  }
}
