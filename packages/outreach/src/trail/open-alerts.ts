import { deadline, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Db } from 'mongodb';
import type { AlertDocument } from '../alerts/alert-document.ts';

/** What of an open alert those need who follow it. */
export type OpenAlert = Pick<AlertDocument, '_id' | 'state' | 'person' | 'receivedAt'> & {
  trigger: { tripId?: string };
};

/** More are open at a time only where something else is wrong; of these the newest count. */
const maxOpenAlerts = 2_000;

/**
 * The open alerts, the newest first, without what has to be sent and what was said of them.
 *
 * @throws AppError `database_unavailable`
 * Cost: one index scan over the open alerts.
 */
export function createReadOpenAlerts({ db, deadlineMs }: { db: Db; deadlineMs: number }): () => Promise<OpenAlert[]> {
  const alerts = db.collection<AlertDocument>('alerts', { readConcern: { level: 'majority' } });
  return async () => {
    try {
      return await alerts
        .find<OpenAlert>(
          { open: true },
          {
            projection: { state: 1, person: 1, receivedAt: 1, 'trigger.tripId': 1 },
            sort: { open: -1, receivedAt: -1, _id: 1 },
            limit: maxOpenAlerts,
            ...deadline(deadlineMs),
          },
        )
        .toArray();
    } catch (error) {
      throw toMongoError(error);
    }
  };
}
