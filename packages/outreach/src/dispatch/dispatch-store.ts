import { randomUUID } from 'node:crypto';
import { deadline, isDuplicateKey, isRefusal, toMongoError } from '@hushryd/platform/mongo/deadline';
import { inCausalSession } from '@hushryd/platform/mongo/update-then-read';
import type { Receipt } from '@hushryd/providers/receipts/receipt';
import type { Db } from 'mongodb';
import type { AlertDocument, OutboxEntry } from '../alerts/alert-document.ts';
import { createGather } from '../notifications/gather.ts';
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

interface KeepOrder {
  alertId: string;
  changes: readonly EntryChange[];
  made: readonly AlertAttemptDocument[];
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

/** Of one command. */
const maxAlerts = 16;
const writeTimeoutMs = 1_200;

/**
 * Alerts as dispatch sees them. Writes are acknowledged by a majority and journalled. There is one command with claims at a time and one with
 * outcomes, each with all that was asked for meanwhile: more are not faster, and take the database from those who accept alerts (reliability, M16).
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
  const writeConcern = { w: 'majority', journal: true, wtimeoutMS: Math.min(writeTimeoutMs, deadlineMs) } as const;
  const claim = createGather<string, Claimed | undefined>({ maxItems: maxAlerts, run: claimAll });

  /** All that is asked for shares the name of the claim. */
  async function claimAll(asked: readonly string[]): Promise<(Claimed | undefined | Promise<Claimed | undefined>)[]> {
    const claimId = randomUUID();
    const alertIds = [...new Set(asked)];
    // Whoever of this batch asks for the same one later has come too late.
    const isFirst = (alertId: string, place: number) => asked.indexOf(alertId) === place;
    try {
      const taken = await claimAs(claimId, alertIds);
      return asked.map((alertId, place) => (isFirst(alertId, place) ? taken.get(alertId) : undefined));
    } catch (error) {
      if (alertIds.length === 1 || !isRefusal(error)) throw error;
      // One that cannot be changed must not keep the others. What was taken before it is found by the same name.
      return asked.map(async (alertId, place) =>
        isFirst(alertId, place) ? (await claimAs(claimId, [alertId])).get(alertId) : undefined,
      );
    }
  }

  /** In one statement, which the embedded engine takes to its disk once. */
  function claimAs(claimId: string, alertIds: readonly string[]): Promise<Map<string, Claimed | undefined>> {
    return inCausalSession(alerts, async (session) => {
      onWrite('claim');
      const filter = { _id: { $in: [...alertIds] } };
      const options = { writeConcern, session, ...deadline(deadlineMs) };
      await alerts.updateMany(filter, toClaim({ claimId, settings }), options);
      const found = await alerts.find(filter, { session, ...deadline(deadlineMs) }).toArray();
      return new Map(found.map((alert) => [alert._id, toClaimed(alert, claimId)]));
    });
  }

  const keep = createGather<KeepOrder, AlertDocument | null>({
    maxItems: maxAlerts,
    run: keepAll,
    mayBeOfOne: isRefusal,
  });

  /** In order: of one alert what came first is kept first. */
  async function keepAll(orders: readonly KeepOrder[]): Promise<(AlertDocument | null)[]> {
    await keepAttempts(orders.flatMap(({ made }) => made));
    const changing = orders.filter(({ changes }) => changes.length > 0);
    if (changing.length === 0) return orders.map(() => null);
    onWrite('keep');
    return inCausalSession(alerts, async (session) => {
      const updates = changing.map(({ alertId, changes }) => ({
        updateOne: { filter: { _id: alertId }, update: toChanges(changes) },
      }));
      await alerts.bulkWrite(updates, { writeConcern, session, ...deadline(deadlineMs) });
      const ids = changing.map(({ alertId }) => alertId);
      const found = await alerts.find({ _id: { $in: ids } }, { session, ...deadline(deadlineMs) }).toArray();
      const kept = new Map(found.map((alert) => [alert._id, alert]));
      return orders.map(({ alertId, changes }) => (changes.length > 0 && kept.get(alertId)) || null);
    });
  }

  /** Together where they are new, since the embedded engine goes to its disk for each upsert. Whatever is there already may know more. */
  async function keepAttempts(made: readonly AlertAttemptDocument[]): Promise<void> {
    const options = () => ({ ordered: false, writeConcern: { w: 1 }, ...deadline(deadlineMs) });
    const fresh = made.filter(({ status }) => status === undefined);
    const told = made.filter(({ status }) => status !== undefined);
    try {
      if (fresh.length > 0) await attempts.insertMany([...fresh], options());
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    const upserts = told.map(({ _id, ...fields }) => ({
      updateOne: { filter: { _id }, update: { $set: fields }, upsert: true },
    }));
    if (upserts.length > 0) await attempts.bulkWrite(upserts, options());
  }

  /** The moment by the database's clock: those of the nodes may be off by minutes. */
  async function serverNowMs(): Promise<number> {
    const hello = await db.admin().command({ hello: 1 }, deadline(deadlineMs));
    return (hello.localTime as Date).getTime();
  }

  return {
    claim: (alertId) => attempt(() => claim(alertId)),
    keep: (alertId, changes, made) => attempt(() => keep({ alertId, changes, made })),
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

function toClaimed(alert: AlertDocument, claimId: string): Claimed | undefined {
  // Of what was taken something may have arrived, or been called off, by the time of the read.
  const entries = alert.outbox.filter(({ takenBy, state }) => takenBy === claimId && state === 'SENDING');
  const hasEscalated = alert.escalation.takenBy === claimId;
  return entries.length > 0 || hasEscalated ? { alert, entries, hasEscalated } : undefined;
}

async function attempt<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw toMongoError(error);
  }
}
