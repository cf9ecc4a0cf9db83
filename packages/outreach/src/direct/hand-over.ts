import { deadline, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db, Document, Filter } from 'mongodb';
import { directHolder } from '../alerts/accept-pipelines.ts';
import type { AlertDocument, AlertFact, OutboxEntry } from '../alerts/alert-document.ts';
import { appendFacts } from '../alerts/append-facts.ts';
import { settleWork } from '../alerts/work-at.ts';
import type { AlertAttemptDocument } from '../dispatch/alert-attempts.ts';
import type { DirectAlert } from './direct-store.ts';

/**
 * Writes what a node has done about an alert into the database's alert, which begins where the node stops: nobody is written to twice, the
 * escalation goes on from its level.
 *
 * @returns whether it could: not where somebody has acted on the database's alert already. Then only what happened is written down
 * @throws AppError `database_unavailable`: the same again is safe
 * Cost: one majority write, and one of its attempts.
 */
export type HandOver = (alertId: string, direct: DirectAlert) => Promise<boolean>;

export function createHandOver({
  db,
  deadlineMs = 1_500,
  now = Date.now,
}: {
  db: Db;
  deadlineMs?: number;
  now?: () => number;
}): HandOver {
  const alerts = db.collection<AlertDocument>('alerts');
  const attempts = db.collection<AlertAttemptDocument>('alert_attempts');
  const writeConcern = { w: 'majority', journal: true, wtimeoutMS: Math.min(1_200, deadlineMs) } as const;

  async function keepAttempts(alertId: string, made: readonly AlertAttemptDocument[]): Promise<void> {
    if (made.length === 0) return;
    const upserts = made.map(({ _id, ...fields }) => ({
      updateOne: { filter: { _id }, update: { $set: { ...fields, alertId } }, upsert: true },
    }));
    await attempts.bulkWrite(upserts, { ordered: false, writeConcern: { w: 1 }, ...deadline(deadlineMs) });
  }

  return async (alertId, { document, attempts: made }) => {
    const clock = toDatabaseClock(now());
    const write = { writeConcern, ...deadline(deadlineMs) };
    try {
      await keepAttempts(alertId, [...made.values()]);
      if (alertId === document._id) {
        const taken = await alerts.updateOne(isUntouched(alertId), toTakenOver(document, clock), write);
        if (taken.matchedCount === 1) return true;
      }
      if (document.facts.length > 0) await alerts.updateOne({ _id: alertId }, toFactsOnly(document, clock), write);
      return false;
    } catch (error) {
      throw toMongoError(error);
    }
  };
}

type DatabaseClock = (at: Date) => Document;

/** A moment of this node's clock by the database's, from how long ago it is, or in how long it will be. */
const toDatabaseClock =
  (nowMs: number): DatabaseClock =>
  (at) => ({ $add: ['$$NOW', Math.round(at.getTime() - nowMs)] });

/** It is as it was when a node that sends it brought it here. */
const isUntouched = (alertId: string): Filter<AlertDocument> => ({
  _id: alertId,
  version: 1,
  'escalation.takenBy': directHolder(alertId),
  outbox: { $not: { $elemMatch: { takenBy: { $ne: directHolder(alertId) } } } },
});

function toTakenOver(document: AlertDocument, clock: DatabaseClock): Document[] {
  const { outbox, escalation, acknowledgedAt, lastPressedAt, facts } = document;
  const { state, triggerIds, triggers, trigger, note, pressCount, contacts, contactsVersion, acknowledgedBy } =
    document;
  const plain = { state, triggerIds, triggers, trigger, note, pressCount, contacts, contactsVersion, acknowledgedBy };
  const given = Object.entries(plain).filter(([, value]) => value !== undefined);
  return [
    {
      $set: {
        ...Object.fromEntries(given.map(([field, value]) => [field, { $literal: value }])),
        outbox: outbox.map((entry) => toStored(entry, clock)),
        escalation: {
          level: { $literal: escalation.level },
          nextAt: escalation.nextAt === null ? { $literal: null } : clock(escalation.nextAt),
        },
        ...(acknowledgedAt !== undefined && { acknowledgedAt: clock(acknowledgedAt) }),
        lastPressedAt: clock(lastPressedAt),
        ...toFacts(facts, clock),
        version: { $literal: Math.max(2, document.version) },
        changedAt: '$$NOW',
      },
    },
    ...settleWork,
  ];
}

const toFactsOnly = ({ facts }: AlertDocument, clock: DatabaseClock): Document[] => [{ $set: toFacts(facts, clock) }];

const toFacts = (facts: readonly AlertFact[], clock: DatabaseClock) =>
  appendFacts(facts.map(({ at, ...fact }) => ({ fact, at: clock(at) })));

const toStored = ({ dueAt, ...entry }: OutboxEntry, clock: DatabaseClock): Document => ({
  $mergeObjects: [{ $literal: entry }, { dueAt: dueAt === null ? { $literal: null } : clock(dueAt) }],
});
