import { deadline, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db, Document } from 'mongodb';
import { directHolder } from '../alerts/accept-pipelines.ts';
import type { AlertDocument, OutboxEntry } from '../alerts/alert-document.ts';
import { appendFacts } from '../alerts/append-facts.ts';
import { settleWork } from '../alerts/work-at.ts';
import type { AlertAttemptDocument } from '../dispatch/alert-attempts.ts';
import type { DirectAlert } from './held-alerts.ts';

/**
 * Writes what a node has done about an alert into the database's alert, where others go on from there: nobody is written to twice, the
 * escalation stands at its level. What somebody has done in the database meanwhile stays: an entry that was claimed, a state that changed.
 *
 * @throws AppError `database_unavailable`: the same again is one hand-over
 * Cost: one majority write, and one of its attempts.
 */
export type HandOver = (alertId: string, direct: DirectAlert) => Promise<void>;

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

  return async (alertId, { document, record, attempts: made }) => {
    try {
      await keepAttempts(alertId, [...made.values()]);
      const isFirst = { _id: alertId, handOvers: { $ne: record.triggerId } };
      const pipeline = toTakenOver(document, record.triggerId, toDatabaseClock(now()));
      await alerts.updateOne(isFirst, pipeline, { writeConcern, ...deadline(deadlineMs) });
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

/** Nobody has claimed it in the database. */
const isUnclaimed = (taker: string): Document => ({ $eq: [{ $ifNull: [taker, directHolder] }, directHolder] });

function toTakenOver(document: AlertDocument, directId: string, clock: DatabaseClock): Document[] {
  const { outbox, escalation, acknowledgedAt, acknowledgedBy, facts, contacts, contactsVersion } = document;
  const isStanding = {
    $and: ['$open', { $eq: ['$state', 'open'] }, { $eq: ['$escalation.level', 0] }, isUnclaimed('$escalation.takenBy')],
  };
  const ifStanding = (then: unknown, otherwise: unknown) => ({ $cond: ['$isStanding', then, otherwise] });
  const stored = outbox.map((entry) => toStored(entry, clock));
  const known = { $map: { input: '$outbox', as: 'entry', in: '$$entry.entryId' } };
  const isMissing = { $not: [{ $in: ['$$own.entryId', known] }] };
  return [
    { $set: { isStanding } },
    ...outbox.map(({ entryId }, index): Document => {
      const isOurs = { $and: [{ $eq: ['$$entry.entryId', { $literal: entryId }] }, isUnclaimed('$$entry.takenBy')] };
      const taken = { $cond: [isOurs, stored[index], '$$entry'] };
      return { $set: { outbox: { $map: { input: '$outbox', as: 'entry', in: taken } } } };
    }),
    {
      $set: {
        // Those of the escalation, of contacts that were read later, and what the incident is to hear.
        outbox: ifStanding(
          { $concatArrays: ['$outbox', { $filter: { input: stored, as: 'own', cond: isMissing } }] },
          '$outbox',
        ),
        contacts: { $cond: [{ $eq: ['$contactsVersion', null] }, { $literal: contacts }, '$contacts'] },
        contactsVersion: { $ifNull: ['$contactsVersion', { $literal: contactsVersion }] },
        escalation: ifStanding(
          {
            level: { $literal: escalation.level },
            nextAt: escalation.nextAt === null ? { $literal: null } : clock(escalation.nextAt),
          },
          '$escalation',
        ),
        ...(acknowledgedAt !== undefined && {
          state: ifStanding({ $literal: 'acknowledged' }, '$state'),
          acknowledgedBy: ifStanding({ $literal: acknowledgedBy }, '$acknowledgedBy'),
          acknowledgedAt: ifStanding(clock(acknowledgedAt), '$acknowledgedAt'),
        }),
        ...appendFacts(facts.map(({ at, ...fact }) => ({ fact, at: clock(at) }))),
        handOvers: { $concatArrays: [{ $ifNull: ['$handOvers', []] }, [{ $literal: directId }]] },
        version: { $add: ['$version', 1] },
        changedAt: '$$NOW',
      },
    },
    { $unset: 'isStanding' },
    ...settleWork,
  ];
}

const toStored = ({ dueAt, ...entry }: OutboxEntry, clock: DatabaseClock): Document => ({
  $mergeObjects: [{ $literal: entry }, { dueAt: dueAt === null ? { $literal: null } : clock(dueAt) }],
});
