import { deadline, toMongoError } from '@hushryd/platform/mongo/deadline';
import type { Collection, Db } from 'mongodb';
import { type SealedFact, timelineCollection } from './timeline-document.ts';

/** Sealed facts of one alert, by their numbers. */
export interface TimelineStore {
  /** From after `afterSeq` up to `untilSeq`, in order; at most `limit`, `newest`: the last ones of them. */
  read(query: {
    alertId: string;
    afterSeq: number;
    untilSeq: number;
    limit: number;
    newest?: boolean;
  }): Promise<SealedFact[]>;
}

/**
 * @param db on any pool but that of intake
 * @throws AppError `database_unavailable`
 * Cost: one indexed find; none where there is nothing to find.
 */
export function createTimelineStore({ db, deadlineMs }: { db: Db; deadlineMs: number }): TimelineStore {
  const timeline: Collection<SealedFact> = db.collection(timelineCollection.name, {
    readConcern: { level: 'majority' },
  });
  return {
    async read({ alertId, afterSeq, untilSeq, limit, newest = false }) {
      if (untilSeq <= afterSeq || limit < 1) return [];
      try {
        const found = await timeline
          .find(
            { alertId, seq: { $gt: afterSeq, $lte: untilSeq } },
            { sort: { seq: newest ? -1 : 1 }, limit, ...deadline(deadlineMs) },
          )
          .toArray();
        return newest ? found.reverse() : found;
      } catch (error) {
        throw toMongoError(error);
      }
    },
  };
}
