import { deadline, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db, Filter } from 'mongodb';
import type { AlertDocument } from '../alerts/alert-document.ts';
import { appendFacts } from '../alerts/append-facts.ts';
import { endedOutbox } from '../alerts/end-outbox.ts';
import { settleWork } from '../alerts/work-at.ts';
import type { AlertAttemptDocument } from '../dispatch/alert-attempts.ts';
import type { SealedFact } from '../timeline/timeline-document.ts';
import { canaryId, isCanary } from './canary-person.ts';

/** How a drill ends. `resolved`: it went its whole way; `cancelled`: it was cut off. */
export type DrillEnd = 'resolved' | 'cancelled';

export interface DrillStore {
  /**
   * End a drill. Nobody is told, and what was not sent yet is not sent any more. One that has ended is left as it is.
   */
  end(drill: { alertId: string; state: DrillEnd; by: string }): Promise<void>;
  /** Open ones that have nothing left to do, or had their time. Those of the canary end by themselves, and are found only when they did not. */
  findToEnd(limit: number): Promise<{ alertId: string; state: DrillEnd }[]>;
  /** Remove those whose time is up, with their timelines and attempts. @returns how many */
  removeOld(limit: number): Promise<number>;
  /** How long ago the canary got through for the last time, by the database's clock; undefined where that is longer than it is kept. */
  sinceCanaryMs(): Promise<number | undefined>;
}

/** Whatever has not come by then does not come any more; receipts of other companies have been waited for. */
const openAtMostMs = 600_000;

/**
 * Drills in MongoDB: alerts with `isDrill`.
 *
 * @throws AppError `database_unavailable`
 * Cost: each one write or read by the index of drills; a removal three writes for all.
 */
export function createDrillStore({ db, deadlineMs }: { db: Db; deadlineMs: number }): DrillStore {
  const alerts = db.collection<AlertDocument>('alerts', { readConcern: { level: 'majority' } });
  const attempts = db.collection<AlertAttemptDocument>('alert_attempts');
  const timeline = db.collection<SealedFact>('alert_timeline');
  const write = () => ({ writeConcern: { w: 'majority', journal: true } as const, ...deadline(deadlineMs) });

  /** The moment by the database's clock: those of the nodes may be off by minutes. */
  async function serverNowMs(): Promise<number> {
    const hello = await db.admin().command({ hello: 1 }, deadline(deadlineMs));
    return (hello.localTime as Date).getTime();
  }

  async function removeOld(limit: number): Promise<number> {
    const now = new Date(await serverNowMs());
    // Sealed and sent: nobody writes of it any more.
    const filter: Filter<AlertDocument> = {
      isDrill: true,
      open: false,
      forgetAt: { $lt: now },
      hasFacts: false,
      hasWork: false,
    };
    const options = { limit, projection: { _id: 1 }, ...deadline(deadlineMs) };
    const old = await alerts.find<Pick<AlertDocument, '_id'>>(filter, options).toArray();
    if (old.length === 0) return 0;
    const ids = old.map(({ _id }) => _id);
    // The alert last: by it the rest is found again, should this end in between.
    await attempts.deleteMany({ alertId: { $in: ids } }, deadline(deadlineMs));
    await timeline.deleteMany({ alertId: { $in: ids } }, deadline(deadlineMs));
    const { deletedCount } = await alerts.deleteMany({ _id: { $in: ids }, isDrill: true }, write());
    return deletedCount;
  }

  return {
    end: ({ alertId, state, by }) =>
      attempt(async () => {
        const fact = { factId: 'drill-ended', kind: state, by };
        await alerts.updateOne(
          { _id: alertId, isDrill: true, open: true },
          [
            {
              $set: {
                state: { $literal: state },
                open: { $literal: false },
                closedBy: { $literal: by },
                closedAt: '$$NOW',
                outbox: endedOutbox(),
                ...appendFacts([{ fact }]),
                version: { $add: ['$version', 1] },
                changedAt: '$$NOW',
              },
            },
            ...settleWork,
          ],
          write(),
        );
      }),

    findToEnd: (limit) =>
      attempt(async () => {
        const nowMs = await serverNowMs();
        const projection = { receivedAt: 1, hasWork: 1, person: 1 };
        const open = await alerts
          .find({ isDrill: true, open: true }, { limit, projection, ...deadline(deadlineMs) })
          .toArray();
        return open.flatMap(({ _id: alertId, receivedAt, hasWork, person }): { alertId: string; state: DrillEnd }[] => {
          if (nowMs - receivedAt.getTime() > openAtMostMs) return [{ alertId, state: 'cancelled' }];
          return hasWork || isCanary(person.userId) ? [] : [{ alertId, state: 'resolved' }];
        });
      }),

    removeOld: (limit) => attempt(() => removeOld(limit)),

    sinceCanaryMs: () =>
      attempt(async () => {
        const passed: Filter<AlertDocument> = { isDrill: true, open: false, closedBy: canaryId, state: 'resolved' };
        const [newest] = await alerts
          .find(passed, { sort: { forgetAt: -1 }, limit: 1, projection: { closedAt: 1 }, ...deadline(deadlineMs) })
          .toArray();
        if (newest?.closedAt === undefined) return undefined;
        return Math.max(0, (await serverNowMs()) - newest.closedAt.getTime());
      }),
  };
}

async function attempt<Result>(operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    throw toMongoError(error);
  }
}
