import type { Document } from 'mongodb';

/**
 * Ends every update of an alert: says anew when somebody has to look at it next, so that a sweeper finds alerts by one index and one
 * comparison, whatever is due in them.
 */
export const settleWork: readonly Document[] = [
  {
    $set: {
      // The earliest of them: null does not count, and is what comes of nulls alone. As numbers, since SecantusDB takes a stored date for
      // earlier than `$$NOW`, whatever it is.
      workAt: {
        $toDate: {
          $min: {
            $concatArrays: [
              [{ $toLong: '$escalation.nextAt' }],
              { $map: { input: '$outbox', as: 'entry', in: { $toLong: '$$entry.dueAt' } } },
            ],
          },
        },
      },
    },
  },
  { $set: { hasWork: { $ne: [{ $type: '$workAt' }, 'null'] } } },
];
